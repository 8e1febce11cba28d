/** Moving elements without arithmetic: reshape, transpose, slice, pad, concatenate, reverse; and fill. */

import { DTypeError, type Repeated, ShapeError } from "../core/index.js";
import {
  allocate,
  copyElements,
  type DType,
  formatType,
  HostTensor,
  normalizeAxis,
  requireShape,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
  type Tensor,
  type TensorType,
  type View,
} from "../tensor/index.js";
import { defineOperation, type Operation } from "./operation.js";

// ---------------------------------------------------------------------------------------------------------- fill

/** A tensor with the same number everywhere. No inputs, so no gradient. */
const fillOperation: Operation<{ value: number; dtype: DType; shape: Shape }> = defineOperation({
  name: "fill",
  infer: (_, { dtype, shape }) => {
    requireShape("fill", shape);
    return { dtype, shape };
  },
  evaluate: (_, output, { value }) => {
    output.data.fill(value, output.offset, output.offset + sizeOf(output.shape));
  },
  vjp: () => [],
  jvp: () => undefined,
});

/** A tensor with `value` everywhere. @param dtype default float32 */
export const fill = (shape: Shape, value: number, dtype: DType = "float32"): Tensor =>
  fillOperation([], { value, dtype, shape });

/** A tensor of zeros. @param dtype default float32 */
export const zeros = (shape: Shape, dtype: DType = "float32"): Tensor => fill(shape, 0, dtype);

/** A tensor of ones. @param dtype default float32 */
export const ones = (shape: Shape, dtype: DType = "float32"): Tensor => fill(shape, 1, dtype);

/** Zeros with the type of another tensor. */
export const zerosLike = (like: TensorType): Tensor => zeros(like.shape, like.dtype);

/** Whole numbers 0, 1, ..., length - 1. @param dtype default int32 */
export function range(length: number, dtype: DType = "int32"): Tensor {
  const data = allocate(dtype, length);
  for (let index = 0; index < length; index++) data[index] = index;
  return new HostTensor({ dtype, shape: [length] }, data);
}

// ------------------------------------------------------------------------------------------------------- reshape

const reshapeOperation: Operation<{ shape: Shape }> = defineOperation({
  name: "reshape",
  alias: true,
  infer: ([x], { shape }) => {
    if (sizeOf((x as TensorType).shape) !== sizeOf(shape)) {
      throw new ShapeError(
        `reshape: ${formatType(x as TensorType)} has ${sizeOf((x as TensorType).shape)} elements, ` +
          `but [${shape}] has ${sizeOf(shape)}`,
      );
    }
    return { dtype: (x as TensorType).dtype, shape };
  },
  evaluate: ([x], output) => copyElements(x as View, output),
  vjp: (cotangent, { inputs: [x] }) => [reshape(cotangent, (x as Tensor).shape)],
  jvp: "linear",
  batch: ([x], { shape }, _, length) => reshape(x as Tensor, [length, ...shape]),
});

/**
 * The same elements in row-major order under another shape. One length may be -1: it is computed.
 * @throws ShapeError if the number of elements differs
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const open = shape.indexOf(-1);
  const known = shape.reduce((size, length) => (length === -1 ? size : size * length), 1);
  const resolved = open < 0 ? shape : shape.with(open, known === 0 ? 0 : sizeOf(x.shape) / known);
  if (open >= 0 && (resolved.includes(-1) || !Number.isInteger(resolved[open]))) {
    throw new ShapeError(`reshape: ${formatType(x)} does not divide into [${shape}]`);
  }
  requireShape("reshape", resolved);
  return sameShape(x.shape, resolved) ? x : reshapeOperation([x], { shape: resolved });
}

/** Inserts an axis of length 1 before `axis` (which may be the rank, or negative: -1 appends one). */
export function expandDims(x: Tensor, axis: number): Tensor {
  const at = normalizeAxis("expandDims", axis, x.shape.length + 1);
  return reshape(x, x.shape.toSpliced(at, 0, 1));
}

/** Removes an axis of length 1. @throws ShapeError if its length is another */
export function squeeze(x: Tensor, axis: number): Tensor {
  const at = normalizeAxis("squeeze", axis, x.shape.length);
  if (x.shape[at] !== 1)
    throw new ShapeError(`squeeze: axis ${axis} of ${formatType(x)} has length ${x.shape[at]}, not 1`);
  return reshape(x, x.shape.toSpliced(at, 1));
}

// ------------------------------------------------------------------------------------ walks with one stride an axis

/**
 * Visits the elements of a box in row-major order with two indices that have a stride of their own on each axis.
 * The innermost axis is one plain loop.
 */
function walk(
  shape: Shape,
  first: { start: number; strides: readonly number[] },
  second: { start: number; strides: readonly number[] },
  visit: (first: number, second: number) => void,
): void {
  const rank = shape.length;
  const descend = (axis: number, a: number, b: number): void => {
    if (axis === rank) {
      visit(a, b);
      return;
    }
    const stepA = first.strides[axis] as number;
    const stepB = second.strides[axis] as number;
    for (let index = 0, length = shape[axis] as number; index < length; index++) {
      if (axis === rank - 1) visit(a + index * stepA, b + index * stepB);
      else descend(axis + 1, a + index * stepA, b + index * stepB);
    }
  };
  descend(0, first.start, second.start);
}

const moveElements = (
  shape: Shape,
  source: View,
  from: { start: number; strides: readonly number[] },
  target: View,
  to: { start: number; strides: readonly number[] },
): void => {
  const { data: read, offset: readAt } = source;
  const { data: write, offset: writeAt } = target;
  walk(shape, from, to, (a, b) => {
    write[writeAt + b] = read[readAt + a] as number;
  });
};

// ----------------------------------------------------------------------------------------------------- transpose

const transposeOperation: Operation<{ axes: readonly number[] }> = defineOperation({
  name: "transpose",
  infer: ([x], { axes }) => {
    const { dtype, shape } = x as TensorType;
    if (axes.length !== shape.length || new Set(axes).size !== axes.length || axes.some((axis) => !(axis in shape))) {
      throw new ShapeError(
        `transpose: [${axes}] is no order of the ${shape.length} axes of ${formatType(x as TensorType)}`,
      );
    }
    return { dtype, shape: axes.map((axis) => shape[axis] as number) };
  },
  evaluate: ([x], output, { axes }) => {
    const strides = stridesOf((x as View).shape);
    const from = { start: 0, strides: axes.map((axis) => strides[axis] as number) };
    moveElements(output.shape, x as View, from, output, { start: 0, strides: stridesOf(output.shape) });
  },
  vjp: (cotangent, { params: { axes } }) => [transpose(cotangent, inverseOrder(axes))],
  jvp: "linear",
  batch: ([x], { axes }) => transpose(x as Tensor, [0, ...axes.map((axis) => axis + 1)]),
});

const inverseOrder = (axes: readonly number[]): number[] => axes.map((_, axis) => axes.indexOf(axis));

/**
 * Reorders axes: axis k of the result is axis `axes[k]` of `x`.
 * @param axes default: all reversed
 */
export function transpose(x: Tensor, axes: readonly number[] = x.shape.map((_, axis) => axis).reverse()): Tensor {
  const order = axes.map((axis) => normalizeAxis("transpose", axis, x.shape.length));
  return transposeOperation([x], { axes: order });
}

// ------------------------------------------------------------------------------------------------- slice and pad

/** A box inside a tensor: first index, one past the last, and the distance between taken elements, on each axis. */
interface Box {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps: readonly number[];
}

const sliceOperation: Operation<Box> = defineOperation({
  name: "slice",
  infer: ([x], { starts, ends, steps }) => {
    const { dtype, shape } = x as TensorType;
    shape.forEach((length, axis) => {
      const start = starts[axis] as number;
      const end = ends[axis] as number;
      if (!(start >= 0 && start <= end && end <= length && (steps[axis] as number) >= 1)) {
        throw new ShapeError(
          `slice: [${start}, ${end}) with step ${steps[axis]} is not inside axis ${axis} of ${formatType(x as TensorType)}`,
        );
      }
    });
    return {
      dtype,
      shape: shape.map((_, axis) =>
        Math.ceil(((ends[axis] as number) - (starts[axis] as number)) / (steps[axis] as number)),
      ),
    };
  },
  evaluate: ([x], output, { starts, steps }) => {
    const strides = stridesOf((x as View).shape);
    const start = starts.reduce((sum, first, axis) => sum + first * (strides[axis] as number), 0);
    const from = { start, strides: strides.map((stride, axis) => stride * (steps[axis] as number)) };
    moveElements(output.shape, x as View, from, output, { start: 0, strides: stridesOf(output.shape) });
  },
  vjp: (cotangent, { inputs: [x], params: { starts, steps } }) => [
    padOperation([cotangent], { starts, steps, shape: (x as Tensor).shape }),
  ],
  jvp: "linear",
  batch: ([x], { starts, ends, steps }, _, length) =>
    sliceOperation([x as Tensor], { starts: [0, ...starts], ends: [length, ...ends], steps: [1, ...steps] }),
});

/** Places `x` into zeros of `shape`: its element k lands at `starts + k * steps`. The transpose of slice. */
const padOperation: Operation<{ starts: readonly number[]; steps: readonly number[]; shape: Shape }> = defineOperation({
  name: "pad",
  infer: ([x], { starts, steps, shape }) => {
    const inner = (x as TensorType).shape;
    const fits = inner.every((length, axis) => {
      const last = (starts[axis] as number) + (length - 1) * (steps[axis] as number);
      return (starts[axis] as number) >= 0 && last < (shape[axis] as number);
    });
    if (inner.length !== shape.length || !fits) {
      throw new ShapeError(`pad: ${formatType(x as TensorType)} at [${starts}] does not fit into [${shape}]`);
    }
    return { dtype: (x as TensorType).dtype, shape };
  },
  evaluate: ([x], output, { starts, steps }) => {
    const strides = stridesOf(output.shape);
    const start = starts.reduce((sum, first, axis) => sum + first * (strides[axis] as number), 0);
    output.data.fill(0, output.offset, output.offset + sizeOf(output.shape));
    const inner = (x as View).shape;
    const to = { start, strides: strides.map((stride, axis) => stride * (steps[axis] as number)) };
    moveElements(inner, x as View, { start: 0, strides: stridesOf(inner) }, output, to);
  },
  vjp: (cotangent, { inputs: [x], params: { starts, steps } }) => {
    const { shape } = x as Tensor;
    const ends = shape.map((length, axis) =>
      length === 0 ? (starts[axis] as number) : (starts[axis] as number) + (length - 1) * (steps[axis] as number) + 1,
    );
    return [sliceOperation([cotangent], { starts, ends, steps })];
  },
  jvp: "linear",
  batch: ([x], { starts, steps, shape }, _, length) =>
    padOperation([x as Tensor], { starts: [0, ...starts], steps: [1, ...steps], shape: [length, ...shape] }),
});

/**
 * Elements `start, start + step, ...` before `end` along one axis.
 * @param start first index; negative counts from the end. Default 0
 * @param end one past the last; negative counts from the end. Default: the length
 * @param step distance between taken elements, at least 1. Default 1
 */
export function slice(x: Tensor, axis: number, start = 0, end?: number, step = 1): Tensor {
  const at = normalizeAxis("slice", axis, x.shape.length);
  const length = x.shape[at] as number;
  const fromEnd = (index: number) => (index < 0 ? index + length : index);
  const first = fromEnd(start);
  const last = fromEnd(end ?? length);
  if (first === 0 && last === length && step === 1) return x;
  return sliceOperation([x], {
    starts: x.shape.map((_, other) => (other === at ? first : 0)),
    ends: x.shape.map((size, other) => (other === at ? last : size)),
    steps: x.shape.map((_, other) => (other === at ? step : 1)),
  });
}

/**
 * Cuts an axis into `count` equal parts.
 * @example const [i, f, g, o] = split(gates, 4);
 * @throws ShapeError if its length is no multiple of `count`
 */
export function split<const Count extends number>(x: Tensor, count: Count, axis = -1): Repeated<Tensor, Count> {
  const at = normalizeAxis("split", axis, x.shape.length);
  const part = (x.shape[at] as number) / count;
  if (!Number.isInteger(part) || !Number.isInteger(count) || count < 1) {
    throw new ShapeError(`split: axis ${axis} of ${formatType(x)} has length ${x.shape[at]}, no multiple of ${count}`);
  }
  const parts = Array.from({ length: count }, (_, index) => slice(x, at, index * part, (index + 1) * part));
  return parts as Repeated<Tensor, Count>;
}

/** One index along an axis, which disappears. @param index negative counts from the end */
export function at(x: Tensor, index: number, axis = 0): Tensor {
  const place = normalizeAxis("at", axis, x.shape.length);
  const length = x.shape[place] as number;
  const first = index < 0 ? index + length : index;
  if (!(Number.isInteger(first) && first >= 0 && first < length)) {
    throw new ShapeError(`at: there is no index ${index} along axis ${axis} of ${formatType(x)}`);
  }
  return squeeze(slice(x, place, first, first + 1), place);
}

/** Adds `before` and `after` zeros along one axis. */
export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  const at = normalizeAxis("pad", axis, x.shape.length);
  return padOperation([x], {
    starts: x.shape.map((_, other) => (other === at ? before : 0)),
    steps: x.shape.map(() => 1),
    shape: x.shape.map((length, other) => (other === at ? before + length + after : length)),
  });
}

// --------------------------------------------------------------------------------------------------- concatenate

const concatenateOperation: Operation<{ axis: number }> = defineOperation({
  name: "concatenate",
  infer: (inputs, { axis }) => {
    const first = inputs[0] as TensorType;
    for (const input of inputs) {
      if (input.dtype !== first.dtype) {
        throw new DTypeError(`concatenate: ${formatType(input)} and ${formatType(first)} differ in type`);
      }
      const sameRank = input.shape.length === first.shape.length;
      if (!sameRank || !sameShape(input.shape.toSpliced(axis, 1), first.shape.toSpliced(axis, 1))) {
        throw new ShapeError(
          `concatenate: ${formatType(input)} and ${formatType(first)} differ in another axis than axis ${axis}`,
        );
      }
    }
    const length = inputs.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
    return { dtype: first.dtype, shape: first.shape.with(axis, length) };
  },
  evaluate: (inputs, output, { axis }) => {
    const strides = stridesOf(output.shape);
    let start = 0;
    for (const input of inputs) {
      moveElements(input.shape, input, { start: 0, strides: stridesOf(input.shape) }, output, { start, strides });
      start += (input.shape[axis] as number) * (strides[axis] as number);
    }
  },
  vjp: (cotangent, { inputs, params: { axis } }) => {
    let start = 0;
    return inputs.map(({ shape }) => {
      start += shape[axis] as number;
      return slice(cotangent, axis, start - (shape[axis] as number), start);
    });
  },
  jvp: (tangents, { inputs, params: { axis } }) =>
    concatenate(
      inputs.map((input, index) => tangents[index] ?? zerosLike(input)),
      axis,
    ),
  batch: (inputs, { axis }, batched) => (batched.includes(false) ? undefined : concatenate(inputs, axis + 1)),
});

/**
 * Joins tensors along an axis.
 * @param axis default -1
 * @throws ShapeError if another axis differs
 */
export function concatenate(inputs: readonly Tensor[], axis = -1): Tensor {
  const first = inputs[0];
  if (first === undefined) throw new ShapeError("concatenate: needs at least one tensor");
  if (inputs.length === 1) return first;
  return concatenateOperation(inputs, { axis: normalizeAxis("concatenate", axis, first.shape.length) });
}

/** Joins tensors of one shape along a new axis. @param axis where the new axis stands in the result; default 0 */
export const stack = (inputs: readonly Tensor[], axis = 0): Tensor =>
  concatenate(
    inputs.map((input) => expandDims(input, axis)),
    axis,
  );

// ------------------------------------------------------------------------------------------------------- reverse

const reverseOperation: Operation<{ axis: number }> = defineOperation({
  name: "reverse",
  infer: ([x]) => x as TensorType,
  evaluate: ([x], output, { axis }) => {
    const { shape } = output;
    const strides = stridesOf(shape);
    const start = Math.max((shape[axis] as number) - 1, 0) * (strides[axis] as number);
    const from = { start, strides: strides.with(axis, -(strides[axis] as number)) };
    moveElements(shape, x as View, from, output, { start: 0, strides });
  },
  vjp: (cotangent, { params: { axis } }) => [reverse(cotangent, axis)],
  jvp: "linear",
  batch: ([x], { axis }) => reverse(x as Tensor, axis + 1),
});

/** Reverses the order of the elements along an axis. */
export const reverse = (x: Tensor, axis = 0): Tensor =>
  reverseOperation([x], { axis: normalizeAxis("reverse", axis, x.shape.length) });

/** The primitive of `fill`, for passes over Programs, which write equations directly. */
export const fillPrimitive = fillOperation.primitive;
/** The primitive of `reshape`. */
export const reshapePrimitive = reshapeOperation.primitive;
/** The primitive of `slice`. */
export const slicePrimitive = sliceOperation.primitive;
/** The primitive of `concatenate`. */
export const concatenatePrimitive = concatenateOperation.primitive;
