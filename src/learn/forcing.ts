/** How much truth is fed back while a network learns to go on by itself: `teacherForcing` over the updates. */

import { requireInteger, requireNumber } from "../core/index.js";

/** Probability in [0, 1] that the truth is fed back, at an update that counts from 0. */
export type ForcingSchedule = (update: number) => number;

/**
 * In a straight line from `initial` to `final` over `updates`, then constant.
 * @param settings.initial in [0, 1]. Default 1
 * @param settings.final in [0, 1]. Default 0
 */
export function linearForcing(settings: {
  readonly updates: number;
  readonly initial?: number;
  readonly final?: number;
}): ForcingSchedule {
  const { updates, initial = 1, final = 0 } = settings;
  requireInteger("linearForcing", "updates", updates, 1);
  requireNumber("linearForcing", "initial", initial, { from: 0, to: 1 });
  requireNumber("linearForcing", "final", final, { from: 0, to: 1 });
  return (update) => initial + (final - initial) * Math.min(update / updates, 1);
}

/**
 * decay^update, for `decay` in (0, 1]; smaller is faster.
 * @throws OptionError if it is out of range
 */
export function exponentialForcing({ decay }: { readonly decay: number }): ForcingSchedule {
  requireNumber("exponentialForcing", "decay", decay, { above: 0, to: 1 });
  return (update) => decay ** update;
}

/**
 * k / (k + exp(update / k)): stays near k / (k + 1), and falls fastest about update k log k. For k of at least 1; larger is slower.
 * @throws OptionError if it is less
 * @see Bengio, Vinyals, Jaitly & Shazeer 2015, arXiv:1506.03099, section 2.4; the other two are there, too
 */
export function inverseSigmoidForcing({ k }: { readonly k: number }): ForcingSchedule {
  requireNumber("inverseSigmoidForcing", "k", k, { from: 1 });
  return (update) => k / (k + Math.exp(update / k));
}
