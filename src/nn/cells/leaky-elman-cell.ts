/** The simple recurrent cell with units that leak. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, multiply } from "../../ops/index.js";
import type { Cell } from "../cell.js";
import type { CellSizes } from "./cell-options.js";
import { type ElmanParams, type ElmanState, elman } from "./elman-cell.js";

/** Sizes of the cell, and how fast its units follow. */
export interface LeakyElmanOptions extends CellSizes {
  /** α: fraction of new state per step, in (0, 1]. At 1, the cell is `elman`. */
  readonly leakRate: number;
}

/**
 * Simple recurrent network of leaky units, one time step. α the leak rate:
 *
 *   h' = (1 - α) h + α tanh(W x + U h + b)        y = h'
 *
 * A unit without recurrent weights follows a step of its input with a time constant of -1 / ln(1 - α) steps. Parameters and their start
 * are those of `elman`.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown or out of range
 * @see Mozer 1992, Induction of multiscale temporal structure; Jaeger et al. 2007, doi:10.1016/j.neunet.2007.04.016
 * @example const cell = leakyElman({ inputSize: 8, hiddenSize: 32, leakRate: 0.1 });
 */
export function leakyElman(options: LeakyElmanOptions): Cell<ElmanParams, ElmanState> {
  requireKnownKeys("leakyElman", options, ["inputSize", "hiddenSize", "leakRate"]);
  const { leakRate, ...sizes } = options;
  requireInteger("leakyElman", "inputSize", sizes.inputSize, 1);
  requireInteger("leakyElman", "hiddenSize", sizes.hiddenSize, 1);
  requireNumber("leakyElman", "leakRate", leakRate, { above: 0, to: 1 });
  const follower = elman(sizes);
  return {
    ...follower,
    step: (params, { h }, x) => {
      const [, target] = follower.step(params, { h }, x);
      const next = add(multiply(h, 1 - leakRate), multiply(target, leakRate));
      return [{ h: next }, next];
    },
  };
}
