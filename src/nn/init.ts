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
      data[row * columns + column] = (rows >= columns ? q[row * narrow + column] : q[column * narrow + row]) as number;
    }
  }
  return new HostTensor({ dtype, shape }, data);
};

/** The matrix `[rows, columns]`, row-major, H₁ H₂ ... D of reflections that send random vector k to axis k. */
function orthonormalColumns(random: Float64Array, rows: number, columns: number): Float64Array {
  const q = new Float64Array(rows * columns);
  const v = new Float64Array(rows);
  const projection = new Float64Array(columns);
  for (let k = columns - 1; k >= 0; k--) {
    let squared = 0;
    for (let row = k; row < rows; row++) {
      v[row] = random[k * rows + row] as number;
      squared += v[row]! * v[row]!;
    }
    const direction = v[k]! < 0 ? -1 : 1;
    v[k]! += direction * Math.sqrt(squared);
    const scale = 2 / (squared - random[k * rows + k]! ** 2 + v[k]! ** 2);
    q[k * columns + k] = -direction;
    // Q <- (I - scale v vᵀ) Q, on the part that is not yet zero.
    projection.fill(0, k);
    for (let row = k; row < rows; row++) {
      const weight = scale * v[row]!;
      for (let at = row * columns + k, column = k; column < columns; at++, column++)
        projection[column]! += weight * q[at]!;
    }
    for (let row = k; row < rows; row++) {
      const weight = v[row]!;
      for (let at = row * columns + k, column = k; column < columns; at++, column++)
        q[at]! -= weight * projection[column]!;
    }
  }
  return q;
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

function matrixShape(name: string, shape: Shape): readonly [rows: number, columns: number] {
  if (shape.length !== 2)
    throw new ShapeError(`${name}: needs a matrix shape [rows, columns], but was given [${shape}]`);
  return shape as unknown as readonly [number, number];
}
