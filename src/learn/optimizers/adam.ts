/** Adam, and AdamW with decay of the weights apart from the gradient. */

import { requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, divide, multiply, power, sqrt, square, subtract } from "../../ops/index.js";
import { mapTensors } from "../../tensor/index.js";
import { type LearningRate, learningRateAt } from "../schedules.js";
import { countUpdate, noUpdates, type Optimizer, updatesAsFloat, zerosTree } from "./optimizer.js";

/** How the steps are taken. */
export interface AdamOptions {
  /** @default 0.001 */
  readonly learningRate?: LearningRate;
  /** Part of the old mean gradient that is kept, in [0, 1). @default 0.9 */
  readonly beta1?: number;
  /** Part of the old mean square that is kept, in [0, 1). @default 0.999 */
  readonly beta2?: number;
  /** Added to the root, so that nothing is divided by 0. @default 1e-8 */
  readonly epsilon?: number;
}

/** Adam's options, and the decay. */
export interface AdamWOptions extends AdamOptions {
  /** λ: part of each weight, times the learning rate, that is taken off at each update. @default 0.01 */
  readonly weightDecay?: number;
}

const DEFAULTS = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
const NAMES = ["learningRate", "beta1", "beta2", "epsilon"] as const;

/**
 * Adam.  g gradient, η learning rate, t updates so far plus 1:
 *
 *   m' = β₁ m + (1-β₁) g        s' = β₂ s + (1-β₂) g²
 *   θ' = θ - η (m' / (1-β₁ᵗ)) / (√(s' / (1-β₂ᵗ)) + ε)
 *
 * @throws OptionError if an option is unknown or out of range
 * @see Kingma & Ba 2015, arXiv:1412.6980
 */
export function adam(options: AdamOptions = {}): Optimizer {
  requireKnownKeys("adam", options, NAMES);
  return decayedAdam("adam", { ...options, weightDecay: 0 });
}

/**
 * Adam with decoupled weight decay:  θ' = (1 - η λ) θ - (Adam's step)
 * @throws OptionError if an option is unknown or out of range
 * @see Loshchilov & Hutter 2019, arXiv:1711.05101
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  requireKnownKeys("adamW", options, [...NAMES, "weightDecay"]);
  return decayedAdam("adamW", { weightDecay: 0.01, ...options });
}

function decayedAdam(name: string, options: AdamWOptions & { readonly weightDecay: number }): Optimizer {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = { ...DEFAULTS, ...options };
  if (typeof learningRate === "number") requireNumber(name, "learningRate", learningRate, { above: 0 });
  requireNumber(name, "beta1", beta1, { from: 0, below: 1 });
  requireNumber(name, "beta2", beta2, { from: 0, below: 1 });
  requireNumber(name, "epsilon", epsilon, { above: 0 });
  requireNumber(name, "weightDecay", weightDecay, { from: 0 });
  return {
    name,
    init: (params) => ({ updates: noUpdates(), mean: zerosTree(params), meanSquare: zerosTree(params) }),
    update: (params, gradient, state) => {
      const before = updatesAsFloat(state, params);
      const rate = learningRateAt(learningRate, before);
      const time = add(before, 1);
      const mean = mapTensors(
        (m, g) => add(multiply(m, beta1), multiply(g, 1 - beta1)),
        state.mean as typeof params,
        gradient,
      );
      const meanSquare = mapTensors(
        (s, g) => add(multiply(s, beta2), multiply(square(g), 1 - beta2)),
        state.meanSquare as typeof params,
        gradient,
      );
      const correction1 = subtract(1, power(beta1, time));
      const correction2 = subtract(1, power(beta2, time));
      const next = mapTensors(
        (p, m, s) => {
          const direction = divide(divide(m, correction1), add(sqrt(divide(s, correction2)), epsilon));
          const kept = weightDecay === 0 ? p : subtract(p, multiply(multiply(p, weightDecay), rate));
          return subtract(kept, multiply(direction, rate));
        },
        params,
        mean,
        meanSquare,
      );
      return { params: next, state: { updates: countUpdate(state), mean, meanSquare } };
    },
  };
}
