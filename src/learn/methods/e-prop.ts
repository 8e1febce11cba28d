/** Eligibility propagation. */

import { requireKnownKeys } from "../../core/index.js";
import { forwardInTime, type Setting } from "./forward-in-time.js";
import type { LearningMethod } from "./method.js";
import { splitPath } from "./one-step.js";
import { sparseInfluence } from "./sparse-influence.js";
import { emptyPattern, influencePattern, type Pattern } from "./structure.js";

/** What neurons show each other. */
export interface EPropOptions {
  /**
   * Names of the tensors of the carry that other units see. Derivatives stop there, unless a layer has nothing else: then they pass
   * from each unit to itself.
   * @default ["h"]
   */
  readonly observable?: readonly string[];
}

/**
 * E-prop: real-time recurrent learning that follows each unit's own state s alone, and not what units tell each other (z).
 *
 *   ε_t = (∂s_t/∂s_{t-1}) ε_{t-1} + ∂s_t/∂θ |z_{t-1} fixed          dL_t/dθ = ∂L_t/∂θ + (∂L_t/∂s_{t-1})ᵀ ε_{t-1}
 *
 * with ε the eligibility traces, and ∂s_t/∂s_{t-1} within a unit only: the same place in the tensors of one layer. For `lstm` s is c, z is h.
 * Symmetric e-prop: error reaches a unit as its loss shows it at that step, through the true readout weights. Biased: paths from unit to unit are
 * not seen. Local: time O(|θ|) a step and memory O(|θ|) for each sequence, if each parameter acts on one unit.
 * @see Bellec et al. 2020, doi:10.1038/s41467-020-17236-y
 */
export function eProp(options: EPropOptions = {}): LearningMethod {
  requireKnownKeys("eProp", options, ["observable"]);
  const { observable = ["h"] } = options;
  return forwardInTime({
    name: "eProp",
    stops: (path, paths) => {
      const isShown = (other: string) => observable.includes(splitPath(other).name);
      const hidden = paths.some((other) => splitPath(other).layer === splitPath(path).layer && !isShown(other));
      return isShown(path) && hidden;
    },
    influence: (setting) => {
      const structure = setting.structure();
      const own = withinUnits(structure.transition, setting);
      const pattern = influencePattern({ ...structure, transition: own }, Number.POSITIVE_INFINITY);
      return sparseInfluence(setting, structure, pattern, { kept: own });
    },
  });
}

/** What is left of a pattern between units when only those count that are the same place of tensors of one layer. */
function withinUnits({ rows, columns, data }: Pattern, { layout }: Setting): Pattern {
  const places = layout.paths.map((path, unit) => ({
    layer: splitPath(path).layer,
    place: unit - layout.paths.indexOf(path),
  }));
  const own = emptyPattern(rows, columns);
  for (let to = 0; to < rows; to++) {
    for (let from = 0; from < columns; from++) {
      const [a, b] = [places[to], places[from]];
      if (a?.layer === b?.layer && a?.place === b?.place)
        own.data[to * columns + from] = data[to * columns + from] as number;
    }
  }
  return own;
}
