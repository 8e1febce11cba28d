/** Program -> Program as a set of kernels executes it best. */

import type { Program, Variable } from "../program/index.js";
import type { HostTensor } from "../tensor/index.js";
import { chainRows } from "./chain-rows.js";
import { foldConstants, type WithConstants } from "./fold-constants.js";
import { formProducts } from "./form-products.js";
import { fuse } from "./fuse.js";
import { joinProducts } from "./join-products.js";
import { joinStacks } from "./join-stacks.js";
import { joinTerms } from "./join-terms.js";
import type { Packing } from "./product.js";
import { reduceDivisions } from "./reduce-divisions.js";
import { sinkIntoLoops } from "./sink.js";
import { stackConcatenations } from "./stack-concatenations.js";
import { sumInLoops } from "./sum-in-loops.js";

/** What kernels execute beside the operations themselves: fused elementwise arithmetic, and products of matrices that are packed so. */
export interface Target extends Packing {
  /** Bytes that groups of rows in turn may read and write and still find in the second-level cache. Default 192 KiB. */
  readonly pieceBytes?: number;
}

type Pass = (program: Program) => Program;

/**
 * Passes, one after the other: about matrix products and what they read; then about what loops keep and how elements go through memory. What
 * they make of constants is computed in between. Each says at the top of its file what it does.
 * @param constants values of the last inputs
 */
export function prepareFor(target: Target, program: Program, constants: readonly HostTensor[]): WithConstants {
  const { pieceBytes, ...packing } = target;
  const stages: ((known: ReadonlySet<Variable>) => Pass[])[] = [
    (known) => [reduceDivisions, sinkIntoLoops, (one) => joinTerms(one, known)],
    (known) => [joinProducts, stackConcatenations, (one) => formProducts(one, packing, known)],
    () => [sumInLoops, joinStacks, fuse, (one) => chainRows(one, pieceBytes)],
  ];
  let prepared: WithConstants = { program, constants };
  for (const passesOf of stages) {
    const { inputs } = prepared.program;
    const passes = passesOf(new Set(inputs.slice(inputs.length - prepared.constants.length)));
    const passed = passes.reduce((current, pass) => pass(current), prepared.program);
    prepared = foldConstants({ program: passed, constants: prepared.constants });
  }
  return prepared;
}
