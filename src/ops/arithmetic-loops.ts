/**
 * Loops of the arithmetic that networks spend their time in.
 *
 * The reference evaluation of other elementwise operations calls a function for each element, which engines do not
 * inline when one loop serves many functions; these are several times faster for having loops of their own.
 */

import type { TypedArray } from "../tensor/index.js";

/** Computes `out[at + k] = a[aAt + k] ∘ b[bAt + k]` for `size` elements. */
export type BinaryLoop = (
  a: TypedArray,
  aAt: number,
  b: TypedArray,
  bAt: number,
  out: TypedArray,
  at: number,
  size: number,
) => void;

export const addLoop: BinaryLoop = (a, aAt, b, bAt, out, at, size) => {
  for (let k = 0; k < size; k++) out[at + k] = a[aAt + k]! + b[bAt + k]!;
};

export const subtractLoop: BinaryLoop = (a, aAt, b, bAt, out, at, size) => {
  for (let k = 0; k < size; k++) out[at + k] = a[aAt + k]! - b[bAt + k]!;
};

export const multiplyLoop: BinaryLoop = (a, aAt, b, bAt, out, at, size) => {
  for (let k = 0; k < size; k++) out[at + k] = a[aAt + k]! * b[bAt + k]!;
};
