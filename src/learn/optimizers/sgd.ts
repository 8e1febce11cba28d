/** Gradient descent, with momentum. */

import { OptionError, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, multiply, subtract } from "../../ops/index.js";
import { mapTensors } from "../../tensor/index.js";
import { type LearningRate, learningRateAt } from "../schedules.js";
import { countUpdate, noUpdates, type Optimizer, updatesAsFloat, zerosTree } from "./optimizer.js";

/** How the steps are taken. */
export interface SgdOptions {
  readonly learningRate: LearningRate;
  /** Part of the last step that is taken again, in [0, 1). @default 0 */
  readonly momentum?: number;
  /** Look ahead along the momentum (Nesterov). @default false */
  readonly nesterov?: boolean;
  /** λ of the penalty (λ/2) ‖θ‖², added to the gradient. @default 0 */
  readonly weightDecay?: number;
}

const DEFAULTS = { momentum: 0, nesterov: false, weightDecay: 0 } as const;

/**
 * Gradient descent.  g the gradient plus λ θ, μ momentum, η learning rate:
 *
 *   v' = μ v + g        θ' = θ - η v'        (Nesterov: θ' = θ - η (g + μ v'))
 *
 * @throws OptionError if an option is unknown, out of range, or without effect
 * @see Polyak 1964; Sutskever, Martens, Dahl & Hinton 2013
 */
export function sgd(options: SgdOptions): Optimizer {
  requireKnownKeys("sgd", options, ["learningRate", "momentum", "nesterov", "weightDecay"]);
  const { learningRate, momentum, nesterov, weightDecay } = { ...DEFAULTS, ...options };
  if (typeof learningRate === "number") requireNumber("sgd", "learningRate", learningRate, { above: 0 });
  requireNumber("sgd", "momentum", momentum, { from: 0, below: 1 });
  requireNumber("sgd", "weightDecay", weightDecay, { from: 0 });
  if (nesterov && momentum === 0) throw new OptionError("sgd: nesterov has no effect without momentum");
  return {
    name: "sgd",
    init: (params) => ({ updates: noUpdates(), ...(momentum > 0 && { velocity: zerosTree(params) }) }),
    update: (params, gradient, state) => {
      const rate = learningRateAt(learningRate, updatesAsFloat(state, params));
      const updates = countUpdate(state);
      const g =
        weightDecay === 0 ? gradient : mapTensors((own, p) => add(own, multiply(p, weightDecay)), gradient, params);
      const descend = (direction: typeof params) =>
        mapTensors((p, d) => subtract(p, multiply(d, rate)), params, direction);
      if (momentum === 0) return { params: descend(g), state: { updates } };
      const velocity = mapTensors((v, own) => add(multiply(v, momentum), own), state.velocity as typeof params, g);
      const ahead = nesterov ? mapTensors((own, v) => add(own, multiply(v, momentum)), g, velocity) : velocity;
      return { params: descend(ahead), state: { updates, velocity } };
    },
  };
}
