/** Program -> Program as a set of kernels executes it best. */

import type { Program } from "../program/index.js";
import type { HostTensor } from "../tensor/index.js";
import { foldConstants, type WithConstants } from "./fold-constants.js";
import { formProducts } from "./form-products.js";
import { fuse } from "./fuse.js";
import { sinkIntoLoops } from "./sink.js";

/** What kernels execute beside the operations themselves: fused elementwise arithmetic, and products of packed matrices. */
export interface Target {
  /** Columns of a panel of a packed matrix. */
  readonly panel: number;
}

/**
 * Takes into loops what only repeats, forms products, packs, folds constants and fuses.
 * @param constants values of the last inputs
 */
export function prepareFor(target: Target, program: Program, constants: readonly HostTensor[]): WithConstants {
  const known = new Set(program.inputs.slice(program.inputs.length - constants.length));
  const folded = foldConstants({ program: formProducts(sinkIntoLoops(program), target.panel, known), constants });
  return { program: fuse(folded.program), constants: folded.constants };
}
