/** From what an encoder ends with to what a decoder begins with. */

import { definitionKey, flattenTree, unflattenTree } from "../../core/index.js";
import { concatenate, reshape, slice, tanh } from "../../ops/index.js";
import { isFloat, isTensor, sameType, sizeOf, type Tensor, type TensorTree } from "../../tensor/index.js";
import { type Dense, type DenseParams, dense } from "../layers/dense.js";

const rowSize = ({ shape }: Tensor): number => sizeOf(shape.slice(1));

const floatLeaves = (tree: TensorTree): Tensor[] =>
  flattenTree(tree, isTensor).leaves.filter(({ dtype }) => isFloat(dtype));

/** All float numbers of a carry side by side: `[batch, summarySize]`. Counters are left out. */
export const summaryOf = (carry: TensorTree): Tensor =>
  concatenate(floatLeaves(carry).map((leaf) => reshape(leaf, [leaf.shape[0] as number, rowSize(leaf)])));

/** Features of `summaryOf` such a carry. */
export const summarySize = (carry: TensorTree): number =>
  floatLeaves(carry).reduce((total, leaf) => total + rowSize(leaf), 0);

/** Whether one carry can take the place of the other. */
export function sameForm(a: TensorTree, b: TensorTree): boolean {
  const [left, right] = [flattenTree(a, isTensor), flattenTree(b, isTensor)];
  return (
    definitionKey(left.definition) === definitionKey(right.definition) &&
    left.leaves.every((leaf, index) => sameType(leaf, right.leaves[index] as Tensor))
  );
}

/** The layer of a dense bridge. */
export const bridgeLayer = (summary: number, target: TensorTree): Dense =>
  dense({ inputSize: summary, outputSize: summarySize(target) });

/**
 * A carry whose float tensors are  tanh(W s + b)  of a summary s; counters stay those of the initial carry.
 * @param initial the decoder's initial carry
 */
export function bridgeCarry<Carry extends TensorTree>(
  layer: Dense,
  params: DenseParams,
  summary: Tensor,
  initial: Carry,
): Carry {
  const values = tanh(layer.apply(params, summary));
  const { leaves, definition } = flattenTree(initial, isTensor);
  let next = 0;
  const bridged = leaves.map((leaf) => {
    if (!isFloat(leaf.dtype)) return leaf;
    const start = next;
    next += rowSize(leaf);
    return reshape(slice(values, -1, start, next), leaf.shape);
  });
  return unflattenTree<Tensor>(definition, bridged) as Carry;
}
