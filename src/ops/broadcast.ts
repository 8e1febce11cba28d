/** Broadcast and sum: repeating elements along axes, and adding them up. Each is the transpose of the other. */

import { ShapeError } from "../core/index.js";
import {
  formatType,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
  type Tensor,
  type TensorType,
  type View,
} from "../tensor/index.js";
import { defineOperation, type Operation } from "./operation.js";
import { reshape } from "./shape.js";

/** Axis k of the operand becomes axis `axes[k]` of the result; along all other axes the elements repeat. */
const broadcastOperation: Operation<{ axes: readonly number[]; shape: Shape }> = defineOperation({
  name: "broadcast",
  infer: ([x], { axes, shape }) => {
    const inner = (x as TensorType).shape;
    if (inner.length !== axes.length || inner.some((length, k) => length !== shape[axes[k] as number])) {
      throw new ShapeError(`broadcast: ${formatType(x as TensorType)} does not fit along axes [${axes}] of [${shape}]`);
    }
    return { dtype: (x as TensorType).dtype, shape };
  },
  evaluate: ([x], output, { axes, shape }) => {
    const { data: read, offset: readAt } = x as View;
    const { data: write, offset: writeAt } = output;
    const inner = stridesOf((x as View).shape);
    const strides = shape.map((_, axis) => (axes.includes(axis) ? (inner[axes.indexOf(axis)] as number) : 0));
    let next = writeAt;
    const descend = (axis: number, from: number): void => {
      if (axis === shape.length) {
        write[next++] = read[from] as number;
        return;
      }
      const length = shape[axis] as number;
      const stride = strides[axis] as number;
      if (axis < shape.length - 1) for (let k = 0; k < length; k++) descend(axis + 1, from + k * stride);
      else for (let k = 0; k < length; k++) write[next++] = read[from + k * stride] as number;
    };
    descend(0, readAt);
  },
  vjp: (cotangent, { params: { axes, shape } }) => [
    sumOperation([cotangent], { axes: shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis)) }),
  ],
  jvp: "linear",
  batch: ([x], { axes, shape }, _, length) =>
    broadcastOperation([x as Tensor], { axes: [0, ...axes.map((axis) => axis + 1)], shape: [length, ...shape] }),
});

/** Adds up the elements along `axes`, which disappear. Accumulates in float64. */
const sumOperation: Operation<{ axes: readonly number[] }> = defineOperation({
  name: "sum",
  infer: ([x], { axes }) => {
    const { dtype, shape } = x as TensorType;
    return { dtype, shape: shape.filter((_, axis) => !axes.includes(axis)) };
  },
  evaluate: ([x], output, { axes }) => {
    const { data: read, offset: readAt, shape } = x as View;
    const { data: write, offset: writeAt } = output;
    const strides = stridesOf(shape);
    const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const total = (k: number, from: number): number => {
      if (k === axes.length) return read[from] as number;
      const length = shape[axes[k] as number] as number;
      const stride = strides[axes[k] as number] as number;
      let sum = 0;
      if (k < axes.length - 1) for (let index = 0; index < length; index++) sum += total(k + 1, from + index * stride);
      else for (let index = 0; index < length; index++) sum += read[from + index * stride] as number;
      return sum;
    };
    let next = writeAt;
    const descend = (k: number, from: number): void => {
      if (k === kept.length) {
        write[next++] = total(0, from);
        return;
      }
      const length = shape[kept[k] as number] as number;
      const stride = strides[kept[k] as number] as number;
      for (let index = 0; index < length; index++) descend(k + 1, from + index * stride);
    };
    descend(0, readAt);
  },
  vjp: (cotangent, { inputs: [x], params: { axes } }) => {
    const { shape } = x as Tensor;
    return [
      broadcastOperation([cotangent], {
        shape,
        axes: shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis)),
      }),
    ];
  },
  jvp: "linear",
  batch: ([x], { axes }) => sumOperation([x as Tensor], { axes: axes.map((axis) => axis + 1) }),
});

/**
 * Repeats a tensor to a shape by NumPy's rule: align at the last axis; an axis of length 1, or a missing one, repeats.
 * @throws ShapeError if an axis differs and is not 1
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const missing = shape.length - x.shape.length;
  const axes = x.shape.map((_, axis) => axis + missing).filter((axis) => x.shape[axis - missing] === shape[axis]);
  const repeated = x.shape.filter((length, axis) => length !== shape[axis + missing]);
  if (missing < 0 || repeated.some((length) => length !== 1)) {
    throw new ShapeError(`broadcastTo: ${formatType(x)} cannot be repeated to [${shape}]`);
  }
  const squeezed = reshape(
    x,
    axes.map((axis) => shape[axis] as number),
  );
  return broadcastOperation([squeezed], { axes, shape });
}

/** Inputs of a batch with those that are the same for all sets repeated. */
export const repeatShared = (inputs: readonly Tensor[], batched: readonly boolean[], length: number): Tensor[] =>
  inputs.map((input, index) => (batched[index] ? input : broadcastTo(input, [length, ...input.shape])));

/** Which axes a reduction adds up. */
export interface ReductionOptions {
  /** Axes to reduce, negative ones count from the end. Default: all. */
  readonly axes?: readonly number[] | number;
  /** Keep reduced axes with length 1. Default false. */
  readonly keepAxes?: boolean;
}

/** The axes of a reduction, sorted, all counting from the start. */
export function reducedAxes(where: string, rank: number, axes: ReductionOptions["axes"]): number[] {
  const listed = axes === undefined ? Array.from({ length: rank }, (_, axis) => axis) : [axes].flat();
  const sorted = listed.map((axis) => normalizeAxis(where, axis, rank)).sort((a, b) => a - b);
  if (new Set(sorted).size !== sorted.length) throw new ShapeError(`${where}: axes [${listed}] name one axis twice`);
  return sorted;
}

/** Puts reduced axes back with length 1. */
export const restoreAxes = (reduced: Tensor, shape: Shape, axes: readonly number[]): Tensor =>
  reshape(
    reduced,
    shape.map((length, axis) => (axes.includes(axis) ? 1 : length)),
  );

/** Sum over axes; the sum of nothing is 0. */
export function sum(x: Tensor, options: ReductionOptions = {}): Tensor {
  const axes = reducedAxes("sum", x.shape.length, options.axes);
  const result = axes.length === 0 ? x : sumOperation([x], { axes });
  return options.keepAxes === true ? restoreAxes(result, x.shape, axes) : result;
}

/** Number of elements that a reduction over `axes` adds up into one. */
export const reducedSize = (shape: Shape, axes: readonly number[]): number =>
  sizeOf(axes.map((axis) => shape[axis] as number));

/** The primitive of `broadcastTo`, for passes over Programs, which write equations directly. */
export const broadcastPrimitive = broadcastOperation.primitive;
