/** Sizes of matrices: what they do to vectors at most, and in the long run. */

import { ShapeError } from "../../core/index.js";
import { abs, divide, matmul, max } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { formatType, type Tensor, tensor, toNumber } from "../../tensor/index.js";

/** A square matrix. */
export interface SquareMatrix {
  readonly size: number;
  /** Row by row. */
  readonly data: Float64Array;
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

/** Squarings, after which A^(2^n) tells of the largest eigenvalue alone, to the last digit. */
const SQUARINGS = 50;

/** A² of a matrix whose largest entry is made 1 first. */
const squareScaled = compile((x: Tensor) => {
  const scale = max(abs(x));
  const scaled = divide(x, scale);
  return { scale, power: matmul(scaled, scaled) };
});

/**
 * Largest absolute value of the eigenvalues, real or complex:  ρ = lim ‖Aᵏ‖^(1/k)  for k = 2ⁿ, by repeated squaring in the numbers of the
 * kernels: float32 weights to about six digits, float64 to nine.
 * @param weights `[n, n]`
 * @throws ShapeError if it is not square
 * @see Gelfand 1941
 */
export function spectralRadius(weights: Tensor): number {
  const [rows, columns] = weights.shape;
  if (weights.shape.length !== 2 || rows !== columns)
    throw new ShapeError(`spectralRadius: needs a square matrix [n,n], but was given ${formatType(weights)}`);
  let power = weights;
  let logScale = 0;
  for (let n = 0; n < SQUARINGS; n++) {
    const squared = squareScaled(power);
    const scale = toNumber(squared.scale);
    if (!(scale > 0)) return scale;
    logScale += Math.log(scale) / 2 ** n;
    power = squared.power;
  }
  const rest = toNumber(max(abs(power)));
  return rest > 0 ? Math.exp(logScale + Math.log(rest) / 2 ** SQUARINGS) : 0;
}

/** Spectral norm, the largest stretch of a vector:  √ρ(AᵀA) */
export function spectralNorm({ size, data }: SquareMatrix): number {
  const matrix = tensor(data, { shape: [size, size] });
  return Math.sqrt(spectralRadius(matmul(matrix, matrix, { transposeA: true })));
}
