/** The learning method of the first LSTM: error flows through the cells without end, and nowhere else. */

import { OptionError, requireKnownKeys } from "../../core/index.js";
import { forwardInTime } from "./forward-in-time.js";
import type { LearningMethod } from "./method.js";
import { splitPath } from "./one-step.js";
import { sparseInfluence } from "./sparse-influence.js";
import { influencePattern } from "./structure.js";

/** Where error is let through time. */
export interface TruncatedGradient1997Options {
  /** Names of the tensors of the carry that carry error on, in every layer. @default ["c"] */
  readonly cells?: readonly string[];
}

/**
 * The truncated gradient of Hochreiter & Schmidhuber: real-time recurrent learning in which the derivatives by what the net inputs see
 * of the step before (∂net_t/∂h_{t-1}, and the same for gates) are taken as zero. Error that has entered a memory cell flows back
 * inside it, scaled by the cell's own recurrence alone (by exactly 1 where there is no forget gate), and changes only what leads into it.
 *
 *   P_t = (∂s_t/∂s_{t-1}) P_{t-1} + ∂s_t/∂θ |h_{t-1} fixed          dL_t/dθ = ∂L_t/∂θ + (∂L_t/∂s_{t-1})ᵀ P_{t-1}
 *
 * with s the cells. Local in space and time: time O(|θ|) a step and memory O(|θ|) for each sequence if each parameter acts on one cell (S times
 * that in blocks of S cells), whatever the length of the stream. Biased: a path from one cell to another through h is not seen.
 * @throws OptionError if no tensor of the carry has one of the names
 * @see Hochreiter & Schmidhuber 1997, appendix A.1, doi:10.1162/neco.1997.9.8.1735
 */
export function truncatedGradient1997(options: TruncatedGradient1997Options = {}): LearningMethod {
  requireKnownKeys("truncatedGradient1997", options, ["cells"]);
  const { cells = ["c"] } = options;
  return forwardInTime({
    name: "truncatedGradient1997",
    stops: (path) => !cells.includes(lastName(path)),
    influence: (setting) => {
      const names = [...new Set(setting.layout.paths.map(lastName))];
      if (!names.some((name) => cells.includes(name))) {
        throw new OptionError(
          `truncatedGradient1997: the carry has no tensor named ${cells.join(" or ")}; it has ${names.join(", ") || "no floats"}. Name the memory cells by the option cells`,
        );
      }
      const structure = setting.structure();
      return sparseInfluence(setting, structure, influencePattern(structure, Number.POSITIVE_INFINITY));
    },
  });
}

const lastName = (path: string): string => splitPath(path).name || "the carry itself";
