/** Which matrix products are as fast in each step of a loop as for all steps at once. */

import type { Equation, Variable } from "../program/index.js";
import { sizeOf } from "../tensor/index.js";

/** Elements of a matrix that a second-level cache keeps from one step to the next, and a third-level one. */
const NEAR_ELEMENTS = 128 * 1024;
const FAR_ELEMENTS = 1024 * 1024;

/** Fewest rows with which a product is as fast in each step as with the rows of all steps, for a matrix as near, and as far. */
const MANY_ROWS_NEAR = 16;
const MANY_ROWS_FAR = 32;

export const isMatrixProduct = ({ primitive, inputs }: Equation): boolean =>
  primitive.name === "matmul" && inputs.every(({ type }) => type.shape.length === 2);

/** Whether a product has so many rows that all that a batch of them would change is that its results go through memory. */
export function hasManyRows(product: Equation): boolean {
  if (!isMatrixProduct(product)) return false;
  const [left, right] = product.inputs as [Variable, Variable];
  const [rows, elements] = [left.type.shape[0] as number, sizeOf(right.type.shape)];
  return elements <= NEAR_ELEMENTS ? rows >= MANY_ROWS_NEAR : rows >= MANY_ROWS_FAR && elements <= FAR_ELEMENTS;
}
