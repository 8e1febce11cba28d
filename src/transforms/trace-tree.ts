/** Tracing functions between trees of tensors. */

import { flattenTree, type TreeDefinition, unflattenTree } from "../core/index.js";
import { type Program, trace } from "../program/index.js";
import { isTensor, type Tensor, type TensorTree } from "../tensor/index.js";

/** A function of trees as a Program over their leaves, with the means to put trees together again. */
export interface TracedTree {
  readonly program: Program;
  /** Leaves of the arguments, followed by the captured tensors: the inputs of `program`. */
  readonly inputs: readonly Tensor[];
  /** Number of leaves of each argument. */
  readonly leafCounts: readonly number[];
  /** Path of each leaf of the arguments: `0.weight`. */
  readonly paths: readonly string[];
  readonly result: TreeDefinition;
}

/** Traces a function for arguments like the given ones. */
export function traceTree<Args extends readonly TensorTree[]>(
  traced: (...args: Args) => TensorTree,
  args: Args,
): TracedTree {
  const flat = args.map((argument) => flattenTree(argument, isTensor));
  const leaves = flat.flatMap((argument) => argument.leaves);
  let result: TreeDefinition | undefined;
  const { program, captured } = trace((...tracers) => {
    let next = 0;
    const trees = flat.map(({ definition, leaves: own }) => {
      next += own.length;
      return unflattenTree(definition, tracers.slice(next - own.length, next));
    });
    const output = flattenTree(traced(...(trees as unknown as Args)), isTensor);
    result = output.definition;
    return output.leaves;
  }, leaves);
  return {
    program,
    inputs: [...leaves, ...captured],
    leafCounts: flat.map((argument) => argument.leaves.length),
    paths: flat.flatMap((argument, index) =>
      argument.paths.map((path) => (path === "" ? `${index}` : `${index}.${path}`)),
    ),
    result: result as TreeDefinition,
  };
}
