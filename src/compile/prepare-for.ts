/** Program -> Program as a set of kernels executes it best. */

import type { Program } from "../program/index.js";
import type { HostTensor } from "../tensor/index.js";
import { chainRows } from "./chain-rows.js";
import { foldConstants, type WithConstants } from "./fold-constants.js";
import { formProducts } from "./form-products.js";
import { fuse } from "./fuse.js";
import { joinInputs } from "./join-inputs.js";
import { joinProducts } from "./join-products.js";
import { joinStacks } from "./join-stacks.js";
import type { Packing } from "./product.js";
import { reduceDivisions } from "./reduce-divisions.js";
import { sinkIntoLoops } from "./sink.js";
import { stackConcatenations } from "./stack-concatenations.js";
import { sumInLoops } from "./sum-in-loops.js";

/** What kernels execute beside the operations themselves: fused elementwise arithmetic, and products of matrices that are packed so. */
export type Target = Packing;

type Pass = (program: Program) => Program;

/**
 * Passes, one after the other: about matrix products and what they read; then, with constants folded, about what loops keep and how elements
 * go through memory. Each says at the top of its file what it does.
 * @param constants values of the last inputs
 */
export function prepareFor(target: Target, program: Program, constants: readonly HostTensor[]): WithConstants {
  const known = new Set(program.inputs.slice(program.inputs.length - constants.length));
  const aboutProducts: Pass[] = [
    reduceDivisions,
    sinkIntoLoops,
    joinInputs,
    joinProducts,
    stackConcatenations,
    (one) => formProducts(one, target, known),
  ];
  const folded = foldConstants({ program: apply(aboutProducts, program), constants });
  return { program: apply([sumInLoops, joinStacks, fuse, chainRows], folded.program), constants: folded.constants };
}

const apply = (passes: readonly Pass[], program: Program): Program =>
  passes.reduce((current, pass) => pass(current), program);
