/** The adding problem: a long row of numbers, of which two marked ones are to be added. */

import { concatenate, expandDims, multiply, oneHot, splitKey, sum, transpose, uniform } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { wholeNumbers } from "./whole-numbers.js";

/** Sequences of pairs (value, mark), and the sum of the two values that are marked. */
export type AddingBatch = {
  /** `[length, batchSize, 2]` */
  readonly xs: Tensor;
  /** `[batchSize, 1]` */
  readonly targets: Tensor;
};

/**
 * Values uniform in [0, 1); one mark 1 somewhere in the first half, one in the second half, else 0.
 *
 *   target = Σ_t value_t mark_t
 *
 * @param length even
 * @see Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; in this form Le, Jaitly & Hinton 2015, arXiv:1504.00941
 */
export function adding(key: Tensor, length: number, batchSize: number): AddingBatch {
  const [valueKey, ...markKeys] = splitKey(key, 3);
  const values = uniform(valueKey, [length, batchSize]);
  const half = length / 2;
  const marks = concatenate(
    markKeys.map((markKey) => transpose(oneHot(wholeNumbers(markKey, half, [batchSize]), half))),
    0,
  );
  return {
    xs: concatenate([expandDims(values, -1), expandDims(marks, -1)]),
    targets: expandDims(sum(multiply(values, marks), { axes: 0 }), -1),
  };
}
