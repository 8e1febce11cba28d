/** Reading and writing at places that are computed: gather and scatter-add of rows, one-hot, dynamic slice and update. */

import { DTypeError, ShapeError } from "../core/index.js";
import {
  copyElements,
  type DType,
  formatType,
  normalizeAxis,
  sameShape,
  sizeOf,
  stridesOf,
  type Tensor,
  type TensorType,
  type View,
} from "../tensor/index.js";
import { addDerivatives, cast, equal } from "./elementwise.js";
import { defineOperation, type Operation } from "./operation.js";
import { expandDims, range, zeros, zerosLike } from "./shape.js";

const requireIndices = (name: string, indices: TensorType): void => {
  if (indices.dtype !== "int32") throw new DTypeError(`${name}: indices must be int32, but are ${formatType(indices)}`);
};

const requireRow = (name: string, row: number, rows: number): void => {
  if (row < 0 || row >= rows) throw new ShapeError(`${name}: there is no row ${row}; the table has ${rows} rows`);
};

const gatherOperation: Operation<null> = defineOperation({
  name: "gather",
  infer: ([table, indices]) => {
    requireIndices("gather", indices as TensorType);
    const { dtype, shape } = table as TensorType;
    if (shape.length === 0) throw new ShapeError("gather: the table must have at least one axis");
    return { dtype, shape: [...(indices as TensorType).shape, ...shape.slice(1)] };
  },
  evaluate: ([table, indices], output) => {
    const [rows, places] = [table as View, indices as View];
    const width = sizeOf(rows.shape.slice(1));
    for (let k = 0, count = sizeOf(places.shape); k < count; k++) {
      const row = places.data[places.offset + k] as number;
      requireRow("gather", row, rows.shape[0] as number);
      for (let column = 0; column < width; column++) {
        output.data[output.offset + k * width + column] = rows.data[rows.offset + row * width + column] as number;
      }
    }
  },
  vjp: (cotangent, { inputs: [table, indices] }) => [
    scatterAdd(zerosLike(table as Tensor), indices as Tensor, cotangent),
    undefined,
  ],
  jvp: ([tangent], { inputs: [, indices] }) => tangent && gather(tangent, indices as Tensor),
  batch: ([table, indices], _, [batchedTable]) =>
    batchedTable ? undefined : gather(table as Tensor, indices as Tensor),
});

/**
 * Rows of a table: result `[...indices.shape, ...table.shape without its first axis]`.
 * @throws ShapeError when it runs, if an index is outside the table
 */
export const gather = (table: Tensor, indices: Tensor): Tensor => gatherOperation([table, indices], null);

const scatterAddOperation: Operation<null> = defineOperation({
  name: "scatterAdd",
  infer: ([table, indices, rows]) => {
    requireIndices("scatterAdd", indices as TensorType);
    const { dtype, shape } = table as TensorType;
    const expected = { dtype, shape: [...(indices as TensorType).shape, ...shape.slice(1)] };
    if ((rows as TensorType).dtype !== dtype || !sameShape((rows as TensorType).shape, expected.shape)) {
      throw new ShapeError(
        `scatterAdd: the rows must be ${formatType(expected)}, but are ${formatType(rows as TensorType)}`,
      );
    }
    return table as TensorType;
  },
  evaluate: ([table, indices, rows], output) => {
    const [base, places, added] = [table as View, indices as View, rows as View];
    copyElements(base, output);
    const width = sizeOf(base.shape.slice(1));
    for (let k = 0, count = sizeOf(places.shape); k < count; k++) {
      const row = places.data[places.offset + k] as number;
      requireRow("scatterAdd", row, base.shape[0] as number);
      for (let column = 0; column < width; column++) {
        output.data[output.offset + row * width + column]! += added.data[added.offset + k * width + column] as number;
      }
    }
  },
  vjp: (cotangent, { inputs: [, indices] }, active) => [
    cotangent,
    undefined,
    active[2] ? gather(cotangent, indices as Tensor) : undefined,
  ],
  jvp: ([table, , rows], { inputs: [base, indices] }) =>
    addDerivatives([table, rows && scatterAdd(zerosLike(base as Tensor), indices as Tensor, rows)]),
});

/** The table with `rows[k]` added to its row `indices[k]`, in the order of k; an index may come more than once. */
export const scatterAdd = (table: Tensor, indices: Tensor, rows: Tensor): Tensor =>
  scatterAddOperation([table, indices, rows], null);

/**
 * 1 at the index, 0 elsewhere, along a new last axis; all 0 for an index outside `[0, size)`.
 * @param size length of the new axis
 * @param dtype default float32
 */
export function oneHot(indices: Tensor, size: number, dtype: DType = "float32"): Tensor {
  requireIndices("oneHot", indices);
  return cast(equal(expandDims(indices, -1), range(size)), dtype);
}

/** Start of the window, held inside the axis so that the window fits (as the first or last possible place). */
const windowStart = (start: View, length: number, window: number): number =>
  Math.min(Math.max(start.data[start.offset] as number, 0), length - window);

const requireScalar = (name: string, start: TensorType): void => {
  if (start.dtype !== "int32" || start.shape.length > 0) {
    throw new DTypeError(`${name}: the start must be int32[], but is ${formatType(start)}`);
  }
};

/** Copies between a tensor and a window of it along one axis, in either direction. */
function copyWindow(whole: View, window: View, axis: number, start: number, intoWindow: boolean): void {
  const stride = stridesOf(whole.shape)[axis] as number;
  const run = (window.shape[axis] as number) * stride;
  const period = (whole.shape[axis] as number) * stride;
  for (let block = 0, blocks = sizeOf(whole.shape.slice(0, axis)); block < blocks; block++) {
    const outside = whole.offset + block * period + start * stride;
    const inside = window.offset + block * run;
    for (let k = 0; k < run; k++) {
      if (intoWindow) window.data[inside + k] = whole.data[outside + k] as number;
      else whole.data[outside + k] = window.data[inside + k] as number;
    }
  }
}

const dynamicSliceOperation: Operation<{ axis: number; length: number }> = defineOperation({
  name: "dynamicSlice",
  infer: ([x, start], { axis, length }) => {
    requireScalar("dynamicSlice", start as TensorType);
    const { dtype, shape } = x as TensorType;
    if (length > (shape[axis] as number)) {
      throw new ShapeError(
        `dynamicSlice: a window of ${length} is longer than axis ${axis} of ${formatType(x as TensorType)}`,
      );
    }
    return { dtype, shape: shape.with(axis, length) };
  },
  evaluate: ([x, start], output, { axis, length }) => {
    const whole = x as View;
    copyWindow(whole, output, axis, windowStart(start as View, whole.shape[axis] as number, length), true);
  },
  vjp: (cotangent, { inputs: [x, start], params: { axis } }) => [
    dynamicUpdate(zerosLike(x as Tensor), cotangent, start as Tensor, axis),
    undefined,
  ],
  jvp: ([tangent], { inputs: [, start], params: { axis, length } }) =>
    tangent && dynamicSlice(tangent, start as Tensor, length, axis),
});

/**
 * `length` elements along an axis from a start (int32 scalar) that is computed; the start is moved inside so that the window fits.
 * @param axis default 0
 */
export const dynamicSlice = (x: Tensor, start: Tensor, length: number, axis = 0): Tensor =>
  dynamicSliceOperation([x, start], { axis: normalizeAxis("dynamicSlice", axis, x.shape.length), length });

const dynamicUpdateOperation: Operation<{ axis: number }> = defineOperation({
  name: "dynamicUpdate",
  infer: ([x, update, start], { axis }) => {
    requireScalar("dynamicUpdate", start as TensorType);
    const [whole, window] = [x as TensorType, update as TensorType];
    const fits =
      whole.dtype === window.dtype &&
      whole.shape.length === window.shape.length &&
      sameShape(whole.shape.toSpliced(axis, 1), window.shape.toSpliced(axis, 1));
    if (!fits || (window.shape[axis] as number) > (whole.shape[axis] as number)) {
      throw new ShapeError(
        `dynamicUpdate: ${formatType(window)} does not fit into ${formatType(whole)} along axis ${axis}`,
      );
    }
    return whole;
  },
  evaluate: ([x, update, start], output, { axis }) => {
    const [whole, window] = [x as View, update as View];
    copyElements(whole, output);
    const first = windowStart(start as View, whole.shape[axis] as number, window.shape[axis] as number);
    copyWindow(output, window, axis, first, false);
  },
  vjp: (cotangent, { inputs: [, update, start], params: { axis } }, active) => [
    active[0] ? dynamicUpdate(cotangent, zerosLike(update as Tensor), start as Tensor, axis) : undefined,
    active[1] ? dynamicSlice(cotangent, start as Tensor, (update as Tensor).shape[axis] as number, axis) : undefined,
    undefined,
  ],
  jvp: ([whole, window], { inputs: [x, update, start], params: { axis } }) =>
    dynamicUpdate(whole ?? zerosLike(x as Tensor), window ?? zerosLike(update as Tensor), start as Tensor, axis),
});

/** The tensor with a window along an axis replaced, from a start (int32 scalar) that is moved inside so that the window fits. */
export const dynamicUpdate = (x: Tensor, update: Tensor, start: Tensor, axis = 0): Tensor =>
  dynamicUpdateOperation([x, update, start], { axis: normalizeAxis("dynamicUpdate", axis, x.shape.length) });

/** The identity matrix `[size, size]`. */
export const identity = (size: number, dtype: DType = "float32"): Tensor =>
  size === 0 ? zeros([0, 0], dtype) : oneHot(range(size), size, dtype);
