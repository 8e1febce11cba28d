/** Prefixes of a sequence under an associative function, in a number of rounds that grows like the logarithm of its length. */

import { requireKnownKeys, ShapeError } from "../core/index.js";
import { concatenate, pad, reshape, reverse, slice, stack } from "../ops/index.js";
import { formatType, mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../tensor/index.js";

/** How an associative scan runs. */
export interface AssociativeScanOptions {
  /** From the last element to the first: result t combines elements T-1, ..., t. @default false */
  readonly reverse?: boolean;
}

/**
 * All prefixes of a sequence:
 *
 *   result_0 = e_0        result_t = combine(result_{t-1}, e_t)
 *
 * `combine` must be associative. Then pairs of neighbours can be combined first, all at once; the prefixes of the pairs, found in
 * the same way, are every second result, and one more combination with every second element gives the others. That makes
 * 2 log₂ T rounds of operations on whole tensors, and fewer than 2 T combinations in all, where the loop makes T - 1 one
 * after the other. As sums are taken in another order, the results agree with the loop's to rounding.
 * @param combine two trees of many elements `[n, ...]` side by side, the accumulated one first, to such a tree
 * @param elements tensors `[time, ...]`, a tree of any form; `time` may be 0
 * @throws ShapeError if the tensors differ in `time`
 * @see Blelloch 1990, Prefix sums and their applications, CMU-CS-90-190
 * @example associativeScan(add, tensor([1, 2, 3])); // [1, 3, 6]
 */
export function associativeScan<T extends TensorTree>(
  combine: (accumulated: T, next: T) => T,
  elements: T,
  options: AssociativeScanOptions = {},
): T {
  requireKnownKeys("associativeScan", options, ["reverse"]);
  const length = commonLength(elements);
  if (!options.reverse) return prefixes(combine, elements, length);
  const flip = (tree: T): T => mapTensors((leaf) => reverse(leaf, 0), tree);
  return flip(prefixes(combine, flip(elements), length));
}

function prefixes<T extends TensorTree>(combine: (accumulated: T, next: T) => T, elements: T, length: number): T {
  if (length < 2) return elements;
  const take = (tree: T, start: number, end: number, step = 1): T =>
    mapTensors((leaf) => slice(leaf, 0, start, end, step), tree);
  const pairs = Math.floor(length / 2);
  const joined = combine(take(elements, 0, 2 * pairs, 2), take(elements, 1, 2 * pairs, 2));
  const odd = prefixes(combine, joined, pairs); // results 1, 3, 5, ...
  const first = take(elements, 0, 1);
  if (length === 2) return mapTensors((a, b) => concatenate([a, b], 0), first, odd);
  const others = Math.ceil(length / 2) - 1;
  const even = combine(take(odd, 0, others), take(elements, 2, length, 2)); // results 2, 4, 6, ...
  return mapTensors((a, b, c) => alternate(concatenate([a, b], 0), c, length), first, even, odd);
}

/** a_0, b_0, a_1, b_1, ...: a may be longer by one. */
function alternate(a: Tensor, b: Tensor, length: number): Tensor {
  const [, ...rest] = a.shape;
  const filled = a.shape[0] === b.shape[0] ? b : pad(b, 0, 0, 1);
  return slice(reshape(stack([a, filled], 1), [2 * (a.shape[0] as number), ...rest]), 0, 0, length);
}

function commonLength(elements: TensorTree): number {
  const leaves = tensorsByPath(elements);
  const name = (path: string) => (path === "" ? "the tensor" : path);
  const lengths = leaves.map(([path, leaf]) => {
    if (leaf.shape.length > 0) return leaf.shape[0] as number;
    throw new ShapeError(`associativeScan: ${name(path)} is ${formatType(leaf)}; it needs a time axis`);
  });
  leaves.forEach(([path], index) => {
    if (lengths[index] === lengths[0]) return;
    const [first, steps] = [leaves[0]?.[0] ?? "", lengths[index]];
    throw new ShapeError(`associativeScan: ${path} has ${steps} time steps, but ${first} has ${lengths[0]}`);
  });
  return lengths[0] ?? 0;
}
