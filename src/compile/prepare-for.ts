/** Program -> Program as a set of kernels executes it best. */

import type { Program } from "../program/index.js";
import type { HostTensor } from "../tensor/index.js";
import { chainRows } from "./chain-rows.js";
import { foldConstants, type WithConstants } from "./fold-constants.js";
import { formProducts } from "./form-products.js";
import { fuse } from "./fuse.js";
import { joinProducts } from "./join-products.js";
import { joinStacks } from "./join-stacks.js";
import { reduceDivisions } from "./reduce-divisions.js";
import { sinkIntoLoops } from "./sink.js";
import { sumInLoops } from "./sum-in-loops.js";

/** What kernels execute beside the operations themselves: fused elementwise arithmetic, and products of packed matrices. */
export interface Target {
  /** Columns of a panel of a packed matrix. */
  readonly panel: number;
}

/**
 * Saves divisions, takes into loops what only repeats, forms products, packs, folds constants, takes sums over time into loops, fuses,
 * and chains what goes row by row.
 * @param constants values of the last inputs
 */
export function prepareFor(target: Target, program: Program, constants: readonly HostTensor[]): WithConstants {
  const known = new Set(program.inputs.slice(program.inputs.length - constants.length));
  const folded = foldConstants({
    program: formProducts(joinProducts(sinkIntoLoops(reduceDivisions(program))), target.panel, known),
    constants,
  });
  return { program: chainRows(fuse(joinStacks(sumInLoops(folded.program)))), constants: folded.constants };
}
