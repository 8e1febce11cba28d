/** Gradient descent with steps scaled by the recent size of each component. */

import { requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, divide, multiply, sqrt, square, subtract } from "../../ops/index.js";
import { mapTensors } from "../../tensor/index.js";
import { type LearningRate, learningRateAt } from "../schedules.js";
import { countUpdate, noUpdates, type Optimizer, updatesAsFloat, zerosTree } from "./optimizer.js";

/** How the steps are taken. */
export interface RmspropOptions {
  readonly learningRate: LearningRate;
  /** Part of the old mean square that is kept, in [0, 1). @default 0.99 */
  readonly decay?: number;
  /** Part of the last step that is taken again, in [0, 1). @default 0 */
  readonly momentum?: number;
  /** Added to the root, so that nothing is divided by 0. @default 1e-8 */
  readonly epsilon?: number;
}

const DEFAULTS = { decay: 0.99, momentum: 0, epsilon: 1e-8 } as const;

/**
 * RMSProp.  g gradient, ρ decay, μ momentum, η learning rate:
 *
 *   s' = ρ s + (1-ρ) g²        v' = μ v + g / (√s' + ε)        θ' = θ - η v'
 *
 * @throws OptionError if an option is unknown or out of range
 * @see Tieleman & Hinton 2012, Lecture 6.5 of Neural Networks for Machine Learning
 */
export function rmsprop(options: RmspropOptions): Optimizer {
  requireKnownKeys("rmsprop", options, ["learningRate", "decay", "momentum", "epsilon"]);
  const { learningRate, decay, momentum, epsilon } = { ...DEFAULTS, ...options };
  if (typeof learningRate === "number") requireNumber("rmsprop", "learningRate", learningRate, { above: 0 });
  requireNumber("rmsprop", "decay", decay, { from: 0, below: 1 });
  requireNumber("rmsprop", "momentum", momentum, { from: 0, below: 1 });
  requireNumber("rmsprop", "epsilon", epsilon, { above: 0 });
  return {
    name: "rmsprop",
    init: (params) => ({
      updates: noUpdates(),
      meanSquare: zerosTree(params),
      ...(momentum > 0 && { velocity: zerosTree(params) }),
    }),
    update: (params, gradient, state) => {
      const rate = learningRateAt(learningRate, updatesAsFloat(state, params));
      const updates = countUpdate(state);
      const meanSquare = mapTensors(
        (s, g) => add(multiply(s, decay), multiply(square(g), 1 - decay)),
        state.meanSquare as typeof params,
        gradient,
      );
      const scaled = mapTensors((g, s) => divide(g, add(sqrt(s), epsilon)), gradient, meanSquare);
      const descend = (direction: typeof params) =>
        mapTensors((p, d) => subtract(p, multiply(d, rate)), params, direction);
      if (momentum === 0) return { params: descend(scaled), state: { updates, meanSquare } };
      const velocity = mapTensors((v, own) => add(multiply(v, momentum), own), state.velocity as typeof params, scaled);
      return { params: descend(velocity), state: { updates, meanSquare, velocity } };
    },
  };
}
