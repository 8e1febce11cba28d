/** Shapes: lists of axis lengths, row-major, any of them may be 0. */

import { ShapeError } from "../core/index.js";
import type { DType } from "./dtype.js";

/** Axis lengths, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/** Element type and shape: all that is known of a tensor while it is traced. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((size, length) => size * length, 1);

/** Whether two shapes have the same lengths. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a === b || (a.length === b.length && a.every((length, axis) => length === b[axis]));

/** Whether two types have the same element type and shape. */
export const sameType = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);

/** `float32[8,16]` */
export const formatType = (type: TensorType): string => `${type.dtype}[${type.shape.join(",")}]`;

/** Distance in elements between neighbours along each axis of a row-major array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/** @throws ShapeError unless all lengths are whole numbers of at least 0 */
export function requireShape(where: string, shape: Shape): void {
  if (shape.every((length) => Number.isInteger(length) && length >= 0)) return;
  throw new ShapeError(`${where}: [${shape}] is no shape; lengths must be whole numbers of at least 0`);
}

/**
 * Turns an axis that may count from the end (-1 is the last) into one that counts from the start.
 * @throws ShapeError if there is no such axis
 */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  const normalized = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && normalized >= 0 && normalized < rank) return normalized;
  throw new ShapeError(`${where}: there is no axis ${axis} in a tensor with ${rank} ${rank === 1 ? "axis" : "axes"}`);
}

/**
 * The shape that two operands are repeated to before an elementwise operation (NumPy's rule: align at the last
 * axis; lengths must be equal or one of them 1).
 * @throws ShapeError naming both shapes
 */
export function broadcastShapes(where: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let back = 1; back <= rank; back++) {
    const left = a[a.length - back] ?? 1;
    const right = b[b.length - back] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeError(
        `${where}: shapes [${a}] and [${b}] do not fit: axis ${rank - back} is ${left} in one and ${right} in the other; ` +
          "lengths must be equal, or one of them 1",
      );
    }
    shape[rank - back] = left === 1 ? right : left;
  }
  return shape;
}
