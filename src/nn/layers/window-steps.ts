/** Windows over the steps of sequences: how many there are, in ragged batches too. */

import { requireKnownKeys } from "../../core/index.js";
import { add, type ConvolutionAxis, divide, maximum, paddingOf, windowCount } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { type SequenceBatch, sequenceBatch } from "../recurrent/sequence-batch.js";

/** What a layer of windows can be told about one batch. */
export interface WindowStepsOptions {
  /**
   * int32 `[batch]`: number of real steps of each sequence, in [0, time]. What stands behind them has no influence, NaN included: it counts
   * as zeros. Default: all steps are real.
   */
  readonly sequenceLengths?: Tensor;
}

/** How many steps a layer of windows makes of how many. Each sequence of a ragged batch has the results that it has alone. */
export interface WindowSteps {
  /** Steps that it makes of `time` steps; 0 if they are fewer than a window has. */
  outputLength(time: number): number;
  /**
   * `outputLength` of each sequence of a ragged batch, for the layer behind. What stands in the result after these steps means nothing.
   * @param sequenceLengths int32 `[batch]`
   */
  outputLengths(sequenceLengths: Tensor): Tensor;
}

/** Steps before and after windows along time. @throws OptionError as `paddingOf` does */
export function windowSteps(where: string, axis: ConvolutionAxis): WindowSteps {
  const [before, after] = paddingOf(where, axis);
  const { size, stride = 1, dilation = 1 } = axis;
  const behindFirst = before + after - (size - 1) * dilation - 1 + stride;
  return {
    outputLength: (time) => windowCount(time + before + after, axis),
    outputLengths: (sequenceLengths) => divide(maximum(add(sequenceLengths, behindFirst), 0), stride),
  };
}

/**
 * The sequences with zeros in their padding, and which steps are real.
 * @param where the name of the layer, for errors
 * @param x `[time, batch, inputSize]`
 * @throws ShapeError if it is not that, or the lengths are not int32 `[batch]`
 */
export function realSteps(
  where: string,
  x: Tensor,
  options: WindowStepsOptions,
  inputSize = x.shape[2] ?? 0,
): SequenceBatch {
  requireKnownKeys(where, options, ["sequenceLengths"]);
  return sequenceBatch(where, { inputSize, reverse: false }, x, options);
}
