/** The latching problem: a class that is told at the beginning, and asked for at the end. */

import {
  bernoulli,
  broadcastTo,
  cast,
  concatenate,
  expandDims,
  multiply,
  normal,
  splitKey,
  subtract,
} from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

/** Sequences of one number a step, and their classes. */
export type LatchBatch = {
  /** `[length, batchSize, 1]` */
  readonly xs: Tensor;
  /** int32 `[batchSize]`, 0 or 1 */
  readonly classes: Tensor;
};

/** Steps that tell the class, and the standard deviation of the noise after them. */
const [TOLD, NOISE] = [3, 0.2] as const;

/**
 * The first three inputs are +1 for class 1 and -1 for class 0; all others are normal noise.
 * @see Bengio, Simard & Frasconi 1994, doi:10.1109/72.279181
 */
export function latch(key: Tensor, length: number, batchSize: number): LatchBatch {
  const [classKey, noiseKey] = splitKey(key);
  const classes = bernoulli(classKey, 0.5, [batchSize]);
  const told = broadcastTo(subtract(multiply(cast(classes, "float32"), 2), 1), [TOLD, batchSize]);
  const noise = multiply(normal(noiseKey, [length - TOLD, batchSize]), NOISE);
  return { xs: expandDims(concatenate([told, noise], 0), -1), classes };
}
