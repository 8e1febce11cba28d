/** Random-feedback local online learning, without the random feedback. */

import { requireKnownKeys, requireNumber } from "../../core/index.js";
import { forwardInTime } from "./forward-in-time.js";
import type { LearningMethod } from "./method.js";
import { sparseInfluence } from "./sparse-influence.js";
import { sameUnit } from "./structure.js";

/** What is known of the cell. */
export interface RfloOptions {
  /** Fraction of new state in each step, in (0, 1], that of the cell: an influence fades by 1 - leakRate a step. */
  readonly leakRate: number;
}

/**
 * RFLO: real-time recurrent learning in which a unit's past reaches it through its leak alone.
 *
 *   P_t = (1 - leakRate) P_{t-1} + ∂c_t/∂θ |c_{t-1} fixed          dL_t/dθ = ∂L_t/∂θ + (∂L_t/∂c_{t-1})ᵀ P_{t-1}
 *
 * Made for leaky cells, c_t = (1 - leakRate) c_{t-1} + leakRate f(...), such as `leakyElman`. Biased: paths through the recurrent weights are not
 * seen. Differs from the source: error reaches the units through the transposed readout weights, not through fixed random ones.
 * Local: time O(|θ|) a step and memory O(|θ|) for each sequence, if each parameter acts on one unit.
 * @throws OptionError if `leakRate` is not in (0, 1]
 * @see Murray 2019, doi:10.7554/eLife.43299
 */
export function rflo(options: RfloOptions): LearningMethod {
  requireKnownKeys("rflo", options, ["leakRate"]);
  const { leakRate } = options;
  requireNumber("rflo", "leakRate", leakRate, { above: 0, to: 1 });
  return forwardInTime({
    name: "rflo",
    influence: (setting) => {
      const structure = setting.structure();
      const kept = sameUnit(setting.layout.units);
      return sparseInfluence(setting, structure, structure.direct, { kept, decay: 1 - leakRate });
    },
  });
}
