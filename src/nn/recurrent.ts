/** A cell over time. */

import { requireKnownKeys, ShapeError } from "../core/index.js";
import { expandDims, pad, select, slice } from "../ops/index.js";
import { paddingMask, type ScanOptions, scan } from "../scan/index.js";
import {
  type FloatDType,
  formatType,
  isFloat,
  sameType,
  type Tensor,
  type TensorTree,
  type TensorType,
} from "../tensor/index.js";
import type { Cell } from "./cell.js";

/** What a recurrent layer can be told about one batch. */
export interface RecurrentOptions<Carry extends TensorTree> {
  /** The carry before the first step. Default: the layer's initial carry. */
  readonly carry?: Carry;
  /**
   * int32 `[time, batch]`, 1 = real, 0 = padding: the carry passes a padded step unchanged, its output is 0. What stands in
   * the padding of `xs` has no influence, NaN included.
   */
  readonly mask?: Tensor;
  /** int32 `[batch]`: number of real steps of each sequence, in [0, time]. */
  readonly sequenceLengths?: Tensor;
  /**
   * int32 `[time, batch]`: 1 where a new sequence begins in that row; the carry does not pass from the step before, in either
   * direction, but starts again from the layer's initial carry.
   */
  readonly resetMask?: Tensor;
  /** Switches dropout on, in layers that have it: a key for this batch. Default: off. */
  readonly key?: Tensor;
}

const OPTION_NAMES = ["carry", "mask", "sequenceLengths", "resetMask", "key"] as const;

/** Outputs of all steps `[time, batch, outputSize]`, and the carry after the last. */
export interface RecurrentResult<Carry extends TensorTree> {
  readonly outputs: Tensor;
  readonly carry: Carry;
}

/** A layer from sequences to sequences. Cells over time, stacks of them and both directions all have this face. */
export interface RecurrentLayer<Params extends TensorTree, Carry extends TensorTree> {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters, concrete. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): Params;
  /** The carry before the first step. @param dtype default float32 */
  initialCarry(batchSize: number, dtype?: FloatDType): Carry;
  /**
   * Runs over a batch of sequences.
   * @param xs `[time, batch, inputSize]`
   * @throws ShapeError if `xs` is not that
   */
  apply(params: Params, xs: Tensor, options?: RecurrentOptions<Carry>): RecurrentResult<Carry>;
}

/** How a cell is run over time. */
export interface RecurrentSettings {
  /** From the last step to the first; outputs stay at their step. Ragged sequences start at their own last step. @default false */
  readonly reverse?: boolean;
  /** Steps between kept carries, for gradients of long sequences in little memory; see `scan`. @default all is kept */
  readonly checkpoint?: number;
}

/**
 * A cell over time.
 * @example const layer = recurrent(lstm({ inputSize: 8, hiddenSize: 32 })); const { outputs } = layer.apply(params, xs);
 */
export function recurrent<Params extends TensorTree, Carry extends TensorTree>(
  cell: Cell<Params, Carry>,
  settings: RecurrentSettings = {},
): RecurrentLayer<Params, Carry> {
  requireKnownKeys("recurrent", settings, ["reverse", "checkpoint"]);
  const { inputSize, outputSize } = cell;
  return {
    inputSize,
    outputSize,
    init: (key, dtype) => cell.init(key, dtype),
    initialCarry: (batchSize, dtype) => cell.initialCarry(batchSize, dtype),
    apply: (params, xs, options = {}) => {
      requireKnownKeys("recurrent", options, OPTION_NAMES);
      const { time, batchSize, dtype } = requireSequences(xs, inputSize);
      requireMasks(options, time, batchSize);
      const { resetMask } = options;
      const real = paddingMask(options, time);
      // A padded step is taken too, on zeros: on a NaN, the gradient of its weights would be 0 · NaN.
      const inputs = real ? select(expandDims(real, -1), xs, 0) : xs;
      const start = cell.initialCarry(batchSize, dtype);
      const scanOptions: ScanOptions<Carry> = {
        reverse: settings.reverse ?? false,
        ...(settings.checkpoint !== undefined && { checkpoint: settings.checkpoint }),
        ...(real && { mask: real }),
        ...(resetMask && { resetMask: settings.reverse ? endsOfSequences(resetMask) : resetMask, resetCarry: start }),
      };
      const step = (carry: Carry, x: Tensor) => cell.step(params, carry, x);
      const [carry, outputs] = scan(step, options.carry ?? start, inputs, scanOptions);
      return { outputs, carry };
    },
  };
}

/** 1 at the last step of each sequence, given 1 at the first step of each: where the opposite direction starts again. */
const endsOfSequences = (starts: Tensor): Tensor =>
  starts.shape[0] === 0 ? starts : pad(slice(starts, 0, 1), 0, 0, 1);

function requireSequences(xs: Tensor, inputSize: number): { time: number; batchSize: number; dtype: FloatDType } {
  if (xs.shape.length !== 3 || xs.shape[2] !== inputSize || !isFloat(xs.dtype)) {
    throw new ShapeError(`recurrent: needs float [time,batch,${inputSize}], but was given ${formatType(xs)}`);
  }
  const [time, batchSize] = xs.shape as [number, number, number];
  return { time, batchSize, dtype: xs.dtype };
}

function requireMasks(options: RecurrentOptions<TensorTree>, time: number, batchSize: number): void {
  for (const [name, shape] of [
    ["mask", [time, batchSize]],
    ["resetMask", [time, batchSize]],
    ["sequenceLengths", [batchSize]],
  ] as const) {
    const [given, expected] = [options[name], { dtype: "int32", shape } satisfies TensorType];
    if (given === undefined || sameType(given, expected)) continue;
    throw new ShapeError(`recurrent: ${name} must be ${formatType(expected)}, but is ${formatType(given)}`);
  }
}
