/** Starting values of parameters. Called outside a trace: the results are concrete. */

import { requireInteger, ShapeError } from "../core/index.js";
import { add, concatenate, fill, multiply, normal, splitKey, uniform } from "../ops/index.js";
import { allocate, type FloatDType, HostTensor, type Shape, type Tensor } from "../tensor/index.js";

/** Makes a tensor of a shape from a key. */
export type Initializer = (key: Tensor, shape: Shape, dtype?: FloatDType) => Tensor;

/**
 * Equally likely numbers in [-limit, limit).
 * @param limit not negative
 */
export const uniformInit =
  (limit: number): Initializer =>
  (key, shape, dtype = "float32") =>
    add(multiply(uniform(key, shape, dtype), 2 * limit), -limit);

/** Normal numbers with mean 0. @param deviation standard deviation */
export const normalInit =
  (deviation: number): Initializer =>
  (key, shape, dtype = "float32") =>
    multiply(normal(key, shape, dtype), deviation);

/**
 * Uniform in ±√(6 / (fanIn + fanOut)), for weights `[fanOut, fanIn]`.
 * @see Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks
 */
export const glorotUniform: Initializer = (key, shape, dtype = "float32") => {
  const [fanOut, fanIn] = matrixShape("glorotUniform", shape);
  return uniformInit(Math.sqrt(6 / (fanIn + fanOut)))(key, shape, dtype);
};

/**
 * A random orthogonal matrix, uniform over all of them: QᵀQ = I for `[rows, columns]` with rows >= columns, QQᵀ = I
 * otherwise. A product of Householder reflections of random vectors, so no decomposition is needed.
 * @see Saxe, McClelland & Ganguli 2014, arXiv:1312.6120; Stewart 1980, doi:10.1137/0717034
 */
export const orthogonal: Initializer = (key, shape, dtype = "float32") => {
  const [rows, columns] = matrixShape("orthogonal", shape);
  const [tall, narrow] = [Math.max(rows, columns), Math.min(rows, columns)];
  const random = normal(key, [narrow, tall], "float64").data as Float64Array;
  const q = orthonormalColumns(random, tall, narrow);
  const data = allocate(dtype, rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      data[row * columns + column] = (rows >= columns ? q[column * tall + row] : q[row * tall + column]) as number;
    }
  }
  return new HostTensor({ dtype, shape }, data);
};

/**
 * Columns of the matrix `[rows, columns]` H₁ H₂ ... D, one after the other. Reflection Hₖ sends random vector k (without
 * its first k elements) to axis k; D holds the signs that make the result uniform.
 *
 *   column c = ± H₁ ... H_c e_c,   Hₖ = I - v vᵀ
 *
 * Two reflections u, v in one pass over four columns q, which stay in the cache:
 *
 *   (I - v vᵀ)(I - u uᵀ) q = q - u (uᵀq) - v (vᵀq - (vᵀu)(uᵀq))
 *
 * @param random `[columns, rows]`
 */
function orthonormalColumns(random: Float64Array, rows: number, columns: number): Float64Array {
  const padded = Math.ceil(columns / 4) * 4; // the vectors behind the last are zero: I - 0 changes nothing
  const vectors = new Float64Array(padded * rows);
  vectors.set(random);
  const signs = new Float64Array(columns);
  for (let k = 0; k < columns; k++) signs[k] = toReflection(vectors.subarray(k * rows, (k + 1) * rows), k);
  const overlaps = new Float64Array(padded);
  for (let k = 1; k < columns; k += 2) {
    for (let row = k; row < rows; row++) overlaps[k]! += vectors[k * rows + row]! * vectors[(k - 1) * rows + row]!;
  }
  const q = new Float64Array(padded * rows);
  for (let column = 0; column < columns; column += 4) {
    for (let k = column; k < Math.min(column + 4, columns); k++) q[k * rows + k] = signs[k]!;
    const [at0, at1, at2, at3] = [column * rows, (column + 1) * rows, (column + 2) * rows, (column + 3) * rows];
    for (let k = column + 3; k > 0; k -= 2) {
      const [atU, atV] = [k * rows, (k - 1) * rows];
      let [u0, u1, u2, u3, v0, v1, v2, v3] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let row = k - 1; row < rows; row++) {
        const u = vectors[atU + row]!;
        const v = vectors[atV + row]!;
        const q0 = q[at0 + row]!;
        const q1 = q[at1 + row]!;
        const q2 = q[at2 + row]!;
        const q3 = q[at3 + row]!;
        u0 += u * q0;
        u1 += u * q1;
        u2 += u * q2;
        u3 += u * q3;
        v0 += v * q0;
        v1 += v * q1;
        v2 += v * q2;
        v3 += v * q3;
      }
      v0 -= overlaps[k]! * u0;
      v1 -= overlaps[k]! * u1;
      v2 -= overlaps[k]! * u2;
      v3 -= overlaps[k]! * u3;
      for (let row = k - 1; row < rows; row++) {
        const u = vectors[atU + row]!;
        const v = vectors[atV + row]!;
        q[at0 + row]! -= u * u0 + v * v0;
        q[at1 + row]! -= u * u1 + v * v1;
        q[at2 + row]! -= u * u2 + v * v2;
        q[at3 + row]! -= u * u3 + v * v3;
      }
    }
  }
  return q;
}

/** Overwrites x by the v of I - v vᵀ, which sends x (its first k elements taken as 0) to ± axis k. Returns that sign. */
function toReflection(x: Float64Array, k: number): 1 | -1 {
  x.fill(0, 0, k);
  let rest = 0;
  for (let row = k + 1; row < x.length; row++) rest += x[row]! * x[row]!;
  const first = x[k]!;
  const sign = first < 0 ? 1 : -1;
  x[k] = first - sign * Math.sqrt(first * first + rest);
  const scale = Math.sqrt(2 / (rest + x[k]! * x[k]!));
  for (let row = k; row < x.length; row++) x[row]! *= scale;
  return sign;
}

/** Zeros. */
export const zerosInit: Initializer = (_, shape, dtype = "float32") => fill(shape, 0, dtype);

/**
 * Weights of several gates, each block of rows `[size, columns]` made on its own, stacked on axis 0.
 * @param blocks number of gates
 */
export function initBlocks(
  init: Initializer,
  key: Tensor,
  blocks: number,
  [rows, columns]: readonly [number, number],
  dtype: FloatDType = "float32",
): Tensor {
  requireInteger("initBlocks", "blocks", blocks, 1);
  return concatenate(
    splitKey(key, blocks).map((blockKey) => init(blockKey, [rows, columns], dtype)),
    0,
  );
}

/**
 * Weights of a cell with gates, `weightIh [gates*hiddenSize, inputSize]` and `weightHh [gates*hiddenSize, hiddenSize]`: each gate of the first by
 * Glorot's rule, each gate of the second orthogonal.
 */
export function initGates(
  key: Tensor,
  gates: number,
  { inputSize, hiddenSize }: { readonly inputSize: number; readonly hiddenSize: number },
  dtype: FloatDType = "float32",
): { readonly weightIh: Tensor; readonly weightHh: Tensor } {
  const [keyIh, keyHh] = splitKey(key);
  return {
    weightIh: initBlocks(glorotUniform, keyIh, gates, [hiddenSize, inputSize], dtype),
    weightHh: initBlocks(orthogonal, keyHh, gates, [hiddenSize, hiddenSize], dtype),
  };
}

function matrixShape(name: string, shape: Shape): readonly [rows: number, columns: number] {
  if (shape.length !== 2)
    throw new ShapeError(`${name}: needs a matrix shape [rows, columns], but was given [${shape}]`);
  return shape as unknown as readonly [number, number];
}
