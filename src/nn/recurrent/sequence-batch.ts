/** What a layer is told about one batch of sequences, checked and ready to run. */

import { OptionError, requireKnownKeys, ShapeError } from "../../core/index.js";
import { expandDims, pad, select, slice } from "../../ops/index.js";
import { paddingMask } from "../../scan/index.js";
import {
  type FloatDType,
  formatType,
  isFloat,
  type Shape,
  sameType,
  type Tensor,
  type TensorTree,
  type TensorType,
} from "../../tensor/index.js";
import type { RecurrentOptions, RecurrentReturn } from "./recurrent-layer.js";

/** A batch of sequences. */
export interface SequenceBatch {
  readonly time: number;
  readonly batchSize: number;
  readonly dtype: FloatDType;
  /** The inputs, with zeros for what stands in the padding: on a NaN, the gradient of a weight would be 0 · NaN. */
  readonly inputs: Tensor;
  /** int32 `[time, batch]`, 1 = real; missing if all is. */
  readonly real?: Tensor;
  /** int32 `[time, batch]`: 1 where the carry starts again before that step is taken; missing if it never does. */
  readonly restart?: Tensor;
}

const OPTION_NAMES = ["carry", "mask", "sequenceLengths", "resetMask", "key", "return"] as const;
const RETURNS: readonly RecurrentReturn[] = ["sequence", "last", "states"];

/**
 * Checks the inputs and options of a layer, and puts padding aside.
 * @throws OptionError if an option is unknown or has no such value
 * @throws ShapeError if `xs` is not float `[time, batch, inputSize]`, or a mask does not fit it
 */
export function sequenceBatch(
  where: string,
  { inputSize, reverse }: { readonly inputSize: number; readonly reverse: boolean },
  xs: Tensor,
  options: RecurrentOptions<TensorTree>,
): SequenceBatch {
  requireKnownKeys(where, options, OPTION_NAMES);
  if (!RETURNS.includes(options.return ?? "sequence")) {
    throw new OptionError(
      `${where}: return must be one of ${RETURNS.join(", ")}, but is ${JSON.stringify(options.return)}`,
    );
  }
  const { dtype, shape } = xs;
  if (shape.length !== 3 || shape[2] !== inputSize || !isFloat(dtype)) {
    throw new ShapeError(`${where}: needs float [time,batch,${inputSize}], but was given ${formatType(xs)}`);
  }
  const [time, batchSize] = shape as [number, number, number];
  const { resetMask } = options;
  requireMask(where, "mask", options.mask, [time, batchSize]);
  requireMask(where, "resetMask", resetMask, [time, batchSize]);
  requireMask(where, "sequenceLengths", options.sequenceLengths, [batchSize]);
  const real = paddingMask(options, time);
  return {
    time,
    batchSize,
    dtype,
    inputs: real ? select(expandDims(real, -1), xs, 0) : xs,
    ...(real && { real }),
    ...(resetMask && { restart: reverse ? endsOfSequences(resetMask) : resetMask }),
  };
}

/** 1 at the last step of each sequence, given 1 at the first step of each: where the opposite direction starts again. */
const endsOfSequences = (starts: Tensor): Tensor =>
  starts.shape[0] === 0 ? starts : pad(slice(starts, 0, 1), 0, 0, 1);

function requireMask(where: string, name: string, given: Tensor | undefined, shape: Shape): void {
  const expected: TensorType = { dtype: "int32", shape };
  if (given === undefined || sameType(given, expected)) return;
  throw new ShapeError(`${where}: ${name} must be ${formatType(expected)}, but is ${formatType(given)}`);
}
