/** Learning rates that change over the updates. */

import { requireInteger, requireNumber } from "../core/index.js";
import { add, cos, divide, floor, minimum, multiply, power } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";

/** The learning rate at an update; `update` is a float scalar that counts from 0. A traceable function. */
export type Schedule = (update: Tensor) => Tensor;

/** A constant learning rate, or one that changes. */
export type LearningRate = number | Schedule;

/** The learning rate at an update. */
export const learningRateAt = (rate: LearningRate, update: Tensor): Tensor | number =>
  typeof rate === "number" ? rate : rate(update);

const requirePositive = (where: string, name: string, value: number): void =>
  requireNumber(where, name, value, { above: 0 });

/**
 * initial · decay^(update / interval)
 * @param settings.decay factor per interval, in (0, 1]
 * @param settings.interval updates
 * @param settings.staircase fall once per interval instead of a little at each update. Default false
 */
export function exponentialDecay(settings: {
  readonly initial: number;
  readonly decay: number;
  readonly interval: number;
  readonly staircase?: boolean;
}): Schedule {
  const { initial, decay, interval, staircase = false } = settings;
  requirePositive("exponentialDecay", "initial", initial);
  requireNumber("exponentialDecay", "decay", decay, { above: 0, to: 1 });
  requireInteger("exponentialDecay", "interval", interval, 1);
  return (update) => {
    const intervals = divide(update, interval);
    return multiply(power(decay, staircase ? floor(intervals) : intervals), initial);
  };
}

/**
 * From `initial` down to `final` along half a cosine over `updates`, then constant:
 *
 *   final + (initial - final) (1 + cos(π min(update / updates, 1))) / 2
 *
 * @param settings.final default 0
 * @see Loshchilov & Hutter 2017, arXiv:1608.03983
 */
export function cosineDecay(settings: {
  readonly initial: number;
  readonly updates: number;
  readonly final?: number;
}): Schedule {
  const { initial, updates, final = 0 } = settings;
  requirePositive("cosineDecay", "initial", initial);
  requireInteger("cosineDecay", "updates", updates, 1);
  requireNumber("cosineDecay", "final", final, { from: 0 });
  return (update) => {
    const angle = multiply(minimum(divide(update, updates), 1), Math.PI);
    return add(multiply(add(cos(angle), 1), (initial - final) / 2), final);
  };
}

/** In a straight line from `initial` to `final` over `updates`, then constant. @param settings.final default 0 */
export function linearDecay(settings: {
  readonly initial: number;
  readonly updates: number;
  readonly final?: number;
}): Schedule {
  const { initial, updates, final = 0 } = settings;
  requirePositive("linearDecay", "initial", initial);
  requireInteger("linearDecay", "updates", updates, 1);
  requireNumber("linearDecay", "final", final, { from: 0 });
  return (update) => add(multiply(minimum(divide(update, updates), 1), final - initial), initial);
}

/** A schedule whose first `updates` rates rise in a straight line:  min((update + 1) / updates, 1) · rate(update) */
export function warmup(updates: number, then: LearningRate): Schedule {
  requireInteger("warmup", "updates", updates, 1);
  return (update) => multiply(minimum(divide(add(update, 1), updates), 1), learningRateAt(then, update));
}
