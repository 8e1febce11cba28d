/** x W + h U as one product of [x h]: what the passes that join such pairs, in loops and outside of them, share. */

import { broadcastPrimitive } from "../ops/index.js";
import { type Equation, type Program, readerCounts, Variable } from "../program/index.js";
import { concatenation } from "./concatenation.js";
import { isMatrixProduct } from "./form-products.js";

/** Most terms: a panel of a packed matrix with more would not stay in the cache while rows go past it. */
export const MOST_TERMS = 512;

/** Fewest rows: for fewer, reading both matrices at each step takes longer than the rows. */
export const FEWEST_ROWS = 16;

/** Finds what makes a variable that is read once. */
export type MadeForOne = (variable: Variable) => Equation | undefined;

export function makersForOne(program: Program, producers: ReadonlyMap<Variable, Equation>): MadeForOne {
  const readers = readerCounts(program);
  return (variable) => (readers.get(variable) === 1 ? producers.get(variable) : undefined);
}

/** The two operands of an equation, in either order. */
export const bothWays = ({ inputs }: Equation) => [inputs, inputs.toReversed()] as [Variable, Variable][];

export const isPlainProduct = (equation: Equation): boolean =>
  isMatrixProduct(equation) && !(equation.params as { transposeA: boolean }).transposeA;

export const transposesSecond = ({ params }: Equation): boolean => (params as { transposeB: boolean }).transposeB;

/** The matrix of a product, and another one that is read alike, one below the other. */
export const matrixOfBoth = (product: Equation, matrix: Variable): Equation =>
  concatenation([product.inputs[1] as Variable, matrix], transposesSecond(product) ? 1 : 0);

/** [x h] times a matrix, and a row that is added to it, in the place of a product and a sum. */
export function productOfBoth(
  inner: Equation,
  sum: Equation,
  x: Variable,
  matrix: Variable,
  row?: Variable,
): Equation[] {
  const both = concatenation([x, inner.inputs[0] as Variable], 1);
  const [total] = sum.outputs as [Variable];
  const product = { ...inner, inputs: [both.outputs[0] as Variable, matrix] };
  if (row === undefined) return [both, { ...product, outputs: [total] }];
  const rows = new Variable(total.type);
  const params = { axes: [1], shape: total.type.shape };
  const repeat: Equation = { primitive: broadcastPrimitive, params, inputs: [row], outputs: [rows] };
  return [both, product, repeat, { ...sum, inputs: [...inner.outputs, rows] }];
}
