/** Sizes of matrices: what they do to vectors at most, and in the long run. Plain numbers, row by row. */

import { ShapeError } from "../../core/index.js";
import { formatType, type Tensor } from "../../tensor/index.js";

/** A square matrix. */
export interface SquareMatrix {
  readonly size: number;
  /** Row by row. */
  readonly data: Float64Array;
}

/** A square matrix of a tensor `[n, n]`. @throws ShapeError if it has another shape */
export function squareMatrix(x: Tensor): SquareMatrix {
  const [rows, columns] = x.shape;
  if (x.shape.length !== 2 || rows !== columns)
    throw new ShapeError(`needs a square matrix [n,n], but was given ${formatType(x)}`);
  return { size: rows as number, data: Float64Array.from(x.data) };
}

/** C = A B */
export function multiplyMatrices(a: SquareMatrix, b: SquareMatrix): SquareMatrix {
  const { size } = a;
  const data = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a.data[i * size + k] as number;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) (data[i * size + j] as number) += factor * (b.data[k * size + j] as number);
    }
  }
  return { size, data };
}

const transposeOf = ({ size, data }: SquareMatrix): SquareMatrix => ({
  size,
  data: data.map((_, place) => data[(place % size) * size + Math.floor(place / size)] as number),
});

const largestEntry = ({ data }: SquareMatrix): number =>
  data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Squarings, after which A^(2^n) tells of the largest eigenvalue alone, to the last digit. */
const SQUARINGS = 50;

/**
 * Largest absolute value of the eigenvalues, real or complex:  ρ = lim ‖Aᵏ‖^(1/k)  for k = 2ⁿ, by repeated squaring.
 * @param weights `[n, n]`
 * @throws ShapeError if it is not square
 * @see Gelfand 1941
 */
export const spectralRadius = (weights: Tensor): number => radiusOf(squareMatrix(weights));

function radiusOf(matrix: SquareMatrix): number {
  let power = matrix;
  let logScale = 0;
  for (let n = 0; n < SQUARINGS; n++) {
    const scale = largestEntry(power);
    if (!(scale > 0)) return scale;
    logScale += Math.log(scale) / 2 ** n;
    const scaled = { size: power.size, data: power.data.map((value) => value / scale) };
    power = multiplyMatrices(scaled, scaled);
  }
  const rest = largestEntry(power);
  return rest > 0 ? Math.exp(logScale + Math.log(rest) / 2 ** SQUARINGS) : 0;
}

/** Spectral norm, the largest stretch of a vector:  √ρ(AᵀA) */
export const spectralNorm = (matrix: SquareMatrix): number =>
  Math.sqrt(radiusOf(multiplyMatrices(transposeOf(matrix), matrix)));
