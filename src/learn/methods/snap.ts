/** Sparse n-step approximation of real-time recurrent learning. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { forwardInTime } from "./forward-in-time.js";
import type { LearningMethod } from "./method.js";
import { sparseInfluence } from "./sparse-influence.js";
import { influencePattern } from "./structure.js";

/** How much of the influence is kept. */
export interface SnapOptions {
  /** Influences that reach a unit within this many steps are kept, at least 1. @default 1 */
  readonly order?: number;
}

/**
 * SnAp-n: real-time recurrent learning that keeps those entries of the influence P which a parameter can reach within n steps, and takes the others
 * as zero.
 *
 *   P_t = S_n ⊙ (D_t P_{t-1} + ∂c_t/∂θ)        S_n: 1 where a parameter acts on a unit within n steps
 *
 * Biased, except where S_n leaves nothing out: with n at least the number of units it is `rtrl`. Which entries these are is found by trying
 * a step out. Time of one pullback for each colour of D (units that share none) and O(m² |θ|) a step, memory O(m |θ|) for each sequence, for m
 * units that one parameter acts on; m = 1 for `elman` with n = 1, 2 for `lstm`.
 * @throws OptionError if `order` is not a whole number of at least 1
 * @see Menick et al. 2021, arXiv:2006.07232
 */
export function snap(options: SnapOptions = {}): LearningMethod {
  requireKnownKeys("snap", options, ["order"]);
  const { order = 1 } = options;
  requireInteger("snap", "order", order, 1);
  return forwardInTime({
    name: "snap",
    influence: (setting) => {
      const structure = setting.structure();
      return sparseInfluence(setting, structure, influencePattern(structure, order));
    },
  });
}
