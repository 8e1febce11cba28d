/** Matrix products. */

import { DTypeError, ShapeError } from "../core/index.js";
import { formatType, isFloat, sameShape, sizeOf, type Tensor, type TensorType, type View } from "../tensor/index.js";
import { broadcastTo } from "./broadcast.js";
import { addDerivatives } from "./elementwise.js";
import { defineOperation, type Operation } from "./operation.js";
import { reshape } from "./shape.js";

/** Which operands are read transposed (their last two axes exchanged). */
export interface MatmulOptions {
  /** Default false. */
  readonly transposeA?: boolean;
  /** Default false. */
  readonly transposeB?: boolean;
}

interface MatmulParams {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const matrixSize = (shape: readonly number[], transposed: boolean): [rows: number, columns: number] => {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
};

function misfit(a: TensorType, b: TensorType, { transposeA, transposeB }: MatmulParams): ShapeError {
  const flags = `${transposeA ? ", first transposed" : ""}${transposeB ? ", second transposed" : ""}`;
  return new ShapeError(`matmul: ${formatType(a)} and ${formatType(b)}${flags} do not fit`);
}

const matmulOperation: Operation<MatmulParams> = defineOperation({
  name: "matmul",
  infer: ([left, right], { transposeA, transposeB }) => {
    const [a, b] = [left as TensorType, right as TensorType];
    if (a.dtype !== b.dtype || !isFloat(a.dtype)) {
      throw new DTypeError(`matmul: ${formatType(a)} and ${formatType(b)} must both be float32 or both be float64`);
    }
    const batch = a.shape.slice(0, -2);
    const [m, k] = matrixSize(a.shape, transposeA);
    const [inner, n] = matrixSize(b.shape, transposeB);
    if (k !== inner || !sameShape(batch, b.shape.slice(0, -2))) {
      throw misfit(a, b, { transposeA, transposeB });
    }
    return { dtype: a.dtype, shape: [...batch, m, n] };
  },
  evaluate: ([left, right], output, { transposeA, transposeB }) => {
    const [a, b] = [left as View, right as View];
    const [m, k] = matrixSize(a.shape, transposeA);
    const n = output.shape.at(-1) as number;
    const count = sizeOf(output.shape.slice(0, -2));
    for (let index = 0; index < count; index++) {
      multiplyMatrices(
        { data: a.data, start: a.offset + index * m * k, row: transposeA ? 1 : k, column: transposeA ? m : 1 },
        { data: b.data, start: b.offset + index * k * n, row: transposeB ? 1 : n, column: transposeB ? k : 1 },
        { data: output.data, start: output.offset + index * m * n, row: n, column: 1 },
        [m, k, n],
      );
    }
  },
  vjp: (c, { inputs: [left, right], params: { transposeA, transposeB } }, active) => {
    // C = op(A) op(B):  op(A)̄ = C̄ op(B)ᵀ,  op(B)̄ = op(A)ᵀ C̄, and transposed again where the operand was.
    const [a, b] = [left as Tensor, right as Tensor];
    const product = (x: Tensor, y: Tensor, tx: boolean, ty: boolean) =>
      matmulOperation([x, y], { transposeA: tx, transposeB: ty });
    const gradientA = () => (transposeA ? product(b, c, transposeB, true) : product(c, b, false, !transposeB));
    const gradientB = () => (transposeB ? product(c, a, true, transposeA) : product(a, c, !transposeA, false));
    return [active[0] ? gradientA() : undefined, active[1] ? gradientB() : undefined];
  },
  jvp: ([da, db], { inputs: [a, b], params }) =>
    addDerivatives([
      da && matmulOperation([da, b as Tensor], params),
      db && matmulOperation([a as Tensor, db], params),
    ]),
  prefersBatch: true,
  batch: ([a, b], { transposeA, transposeB }, [batchedA, batchedB], length) => {
    const [left, right] = [a as Tensor, b as Tensor];
    if (batchedA && !batchedB && !transposeA && left.shape.length === 3 && right.shape.length === 2) {
      // Rows of all sets are rows of one tall matrix.
      const [rows, inner] = left.shape.slice(-2) as [number, number];
      const tall = matmulOperation([reshape(left, [length * rows, inner]), right], { transposeA, transposeB });
      return reshape(tall, [length, rows, tall.shape[1] as number]);
    }
    return batchedA && batchedB ? matmulOperation([left, right], { transposeA, transposeB }) : undefined;
  },
});

interface Matrix {
  readonly data: View["data"];
  readonly start: number;
  readonly row: number;
  readonly column: number;
}

/**
 * C = A B for matrices with any strides. Each element is summed in the order of k, in float64. Tiles of four rows by four
 * columns, so that each number read is used four times; what is left at the edges goes element by element.
 */
function multiplyMatrices(a: Matrix, b: Matrix, c: Matrix, [m, k, n]: readonly [number, number, number]): void {
  const tiledRows = m - (m % 4);
  const tiledColumns = n - (n % 4);
  for (let i = 0; i < tiledRows; i += 4) {
    for (let j = 0; j < tiledColumns; j += 4) multiplyTile(a, b, c, i, j, k);
  }
  for (let i = 0; i < m; i++) {
    for (let j = i < tiledRows ? tiledColumns : 0; j < n; j++) multiplyElement(a, b, c, i, j, k);
  }
}

function multiplyElement(a: Matrix, b: Matrix, c: Matrix, i: number, j: number, k: number): void {
  const { data: left, column: stepA } = a;
  const { data: right, row: stepB } = b;
  let x = a.start + i * a.row;
  let y = b.start + j * b.column;
  let sum = 0;
  for (let index = 0; index < k; index++, x += stepA, y += stepB) sum += left[x]! * right[y]!;
  c.data[c.start + i * c.row + j] = sum;
}

function multiplyTile(a: Matrix, b: Matrix, c: Matrix, i: number, j: number, k: number): void {
  const { data: left, row: rowA, column: stepA } = a;
  const { data: right, row: stepB, column: columnB } = b;
  let x = a.start + i * rowA;
  let y = b.start + j * columnB;
  let c00 = 0,
    c01 = 0,
    c02 = 0,
    c03 = 0,
    c10 = 0,
    c11 = 0,
    c12 = 0,
    c13 = 0,
    c20 = 0,
    c21 = 0,
    c22 = 0,
    c23 = 0,
    c30 = 0,
    c31 = 0,
    c32 = 0,
    c33 = 0;
  for (let index = 0; index < k; index++, x += stepA, y += stepB) {
    const b0 = right[y]!;
    const b1 = right[y + columnB]!;
    const b2 = right[y + 2 * columnB]!;
    const b3 = right[y + 3 * columnB]!;
    const a0 = left[x]!;
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = left[x + rowA]!;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = left[x + 2 * rowA]!;
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = left[x + 3 * rowA]!;
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
  }
  const { data: out, row: rowC } = c;
  let at = c.start + i * rowC + j;
  out[at] = c00;
  out[at + 1] = c01;
  out[at + 2] = c02;
  out[at + 3] = c03;
  at += rowC;
  out[at] = c10;
  out[at + 1] = c11;
  out[at + 2] = c12;
  out[at + 3] = c13;
  at += rowC;
  out[at] = c20;
  out[at + 1] = c21;
  out[at + 2] = c22;
  out[at + 3] = c23;
  at += rowC;
  out[at] = c30;
  out[at + 1] = c31;
  out[at + 2] = c32;
  out[at + 3] = c33;
}

/**
 * Matrix product of the last two axes.
 *
 *   C[..., i, j] = Σₖ A[..., i, k] B[..., k, j]
 *
 * With `B` a single matrix, all rows of `A` are one tall matrix; otherwise leading axes repeat as in `broadcastTo`.
 * @throws ShapeError if the inner lengths differ, or an operand has fewer than two axes
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false } = options;
  for (const operand of [a, b]) {
    if (operand.shape.length < 2)
      throw new ShapeError(`matmul: needs at least two axes, but was given ${formatType(operand)}`);
  }
  if (b.shape.length === 2 && a.shape.length > 2 && !transposeA) {
    const rows = a.shape.slice(0, -1);
    const tall = matmulOperation([reshape(a, [sizeOf(rows), a.shape.at(-1) as number]), b], { transposeA, transposeB });
    return reshape(tall, [...rows, tall.shape[1] as number]);
  }
  const rank = Math.max(a.shape.length, b.shape.length);
  const batchOf = (x: Tensor) => [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape.slice(0, -2)];
  const [batchA, batchB] = [batchOf(a), batchOf(b)];
  const fits = batchA.every((length, axis) => length === batchB[axis] || length === 1 || batchB[axis] === 1);
  if (!fits) throw misfit(a, b, { transposeA, transposeB });
  const batch = batchA.map((length, axis) => (length === 1 ? (batchB[axis] as number) : length));
  const repeat = (x: Tensor) => broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
  return matmulOperation([repeat(a), repeat(b)], { transposeA, transposeB });
}
