/** A model and its state, fed one time step after the other. */

import { OptionError, requireInteger, requireKnownKeys, ShapeError } from "../core/index.js";
import { floatDTypeOf } from "../nn/index.js";
import { compile, type Kernels } from "../runtime/index.js";
import {
  allocate,
  copyTensors,
  formatType,
  HostTensor,
  isTensor,
  sameType,
  sizeOf,
  type Tensor,
  type TensorTree,
  type TensorType,
  type TypedArray,
  tensorsByPath,
} from "../tensor/index.js";
import { copyState, decodeStateInto, encodeState, requireSameState } from "./state.js";
import { type StepperModel, stepOf } from "./step-of.js";

/** How a model is streamed. */
export interface StepperOptions<Carry extends TensorTree> {
  /** Streams that are fed side by side, at least 1. @default 1 */
  readonly batchSize?: number;
  /** The state to begin with. @default the model's initial carry */
  readonly carry?: Carry;
  /** From the model's output `[batch, outputSize]` to what `push` returns, of operations. @default the output itself */
  readonly readout?: (y: Tensor) => Tensor;
  /** @default the fastest here */
  readonly kernels?: Kernels;
}

const OPTION_NAMES = ["batchSize", "carry", "readout", "kernels"] as const;

/** A stream: the one thing in this package that changes in place. */
export interface Stepper<Carry extends TensorTree> {
  readonly batchSize: number;
  readonly inputSize: number;
  /** Form of what `push` returns; `[batch, outputSize]` if there is no readout. */
  readonly outputType: TensorType;
  /**
   * One time step.
   * @param x `batchSize * inputSize` numbers, stream after stream, or a tensor `[batch, inputSize]`
   * @returns the output's numbers, in memory that the next push overwrites; `slice()` keeps them
   * @throws ShapeError if `x` is not that
   */
  push(x: ArrayLike<number> | Tensor): TypedArray;
  /** The carry between two pushes. Reading gives a copy; what is written is copied. @throws ShapeError if it has another form */
  state: Carry;
  /** The state as bytes in the safetensors format, with a checksum. */
  save(): Uint8Array;
  /**
   * Goes on from what `save` gave, bit for bit.
   * @throws FileError if the bytes are damaged, or the state of another model or batch; the stream stays as it was
   */
  restore(bytes: Uint8Array): void;
  /** Begins anew from the carry that the stream began with. @param rows only these streams of the batch. Default all */
  reset(rows?: readonly number[]): void;
}

/**
 * Makes a stream of a model: a cell, or a layer over time that does not read ahead. One push is one bound call of a compiled step with
 * the parameters built in: nothing is allocated, and later changes to `params` have no effect. Random parts such as dropout are off.
 * @throws OptionError if an option is unknown or out of range, or the layer reads ahead (reverse and bidirectional layers)
 * @throws ShapeError if `carry` does not fit
 * @example
 * const stream = stepper(lstm({ inputSize: 3, hiddenSize: 64 }), params);
 * for (const x of samples) console.log(stream.push(x)[0]);
 */
export function stepper<Params extends TensorTree, Carry extends TensorTree>(
  model: StepperModel<Params, Carry>,
  params: Params,
  options: StepperOptions<Carry> = {},
): Stepper<Carry> {
  requireKnownKeys("stepper", options, OPTION_NAMES);
  const { batchSize = 1, readout = (y) => y, kernels } = options;
  requireInteger("stepper", "batchSize", batchSize, 1);
  const dtype = floatDTypeOf(params);
  const initial = model.initialCarry(batchSize, dtype);
  requireSameState("stepper", options.carry ?? initial, initial);
  const begin = copyTensors(options.carry ?? initial);

  const step = stepOf(model, copyTensors(params), dtype);
  const compiled = compile(
    (carry: Carry, x: Tensor) => {
      const [next, y] = step(carry, x);
      return [next, readout(y)] as const;
    },
    { donate: [0], ...(kernels && { kernels }) },
  );
  const carry = copyTensors(begin);
  const inputType: TensorType = { dtype, shape: [batchSize, model.inputSize] };
  const input = new HostTensor(inputType, allocate(dtype, sizeOf(inputType.shape)));
  const run = compiled.bind(carry, input);

  return {
    batchSize,
    inputSize: model.inputSize,
    outputType: compiled.plan(carry, input).outputs.at(-1) as TensorType,
    push: (x) => {
      const values = isTensor(x) ? requireInput(x, inputType).data : x;
      if (values.length !== input.data.length) {
        throw new ShapeError(
          `stepper: a push takes ${input.data.length} numbers, ${formatType(inputType)}, but was given ${values.length}`,
        );
      }
      input.data.set(values);
      return run()[1].data;
    },
    get state() {
      return copyTensors(carry);
    },
    set state(next) {
      requireSameState("stepper", next, carry);
      copyState(next, carry);
    },
    save: () => encodeState(carry),
    restore: (bytes) => decodeStateInto(bytes, carry),
    reset: (rows) => {
      if (rows === undefined) copyState(begin, carry);
      else resetRows(carry, begin, rows, batchSize);
    },
  };
}

function requireInput(x: Tensor, type: TensorType): Tensor {
  if (sameType(x, type)) return x;
  throw new ShapeError(`stepper: a push takes ${formatType(type)}, but was given ${formatType(x)}`);
}

/** Writes some rows of the batch anew. */
function resetRows(carry: TensorTree, begin: TensorTree, rows: readonly number[], batchSize: number): void {
  const odd = rows.find((row) => !Number.isInteger(row) || row < 0 || row >= batchSize);
  if (odd !== undefined) throw new OptionError(`stepper: there is no stream ${odd}; the batch has ${batchSize}`);
  const beginnings = tensorsByPath(begin);
  tensorsByPath(carry).forEach(([, { data }], index) => {
    const width = data.length / batchSize;
    const from = (beginnings[index] as [string, Tensor])[1].data;
    for (const row of rows) data.set(from.subarray(row * width, (row + 1) * width), row * width);
  });
}
