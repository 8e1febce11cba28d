/**
 * Matrix products as kernels execute them: with something added as the result leaves the registers, and with an operand that
 * was packed before. Both are written by passes over Programs whose gradients are already there, so they have no derivative.
 */

import { add, broadcastTo, matmul, reshape } from "../ops/index.js";
import type { Primitive } from "../program/index.js";
import {
  copyElements,
  HostTensor,
  hostTensorOf,
  sizeOf,
  type Tensor,
  type TensorType,
  type View,
} from "../tensor/index.js";
import { withoutDerivative } from "./without-derivative.js";

/**
 * How kernels want a matrix packed: its columns stand in panels, `[panels][rows][panel]`. The last panel is only as wide as its columns are,
 * filled up to whole vectors with zeros.
 */
export interface Packing {
  /** Columns of a panel: some vectors. */
  readonly panel: number;
  /** Floats of a vector. */
  readonly width: number;
}

/** How a matrix is packed. */
export interface PackParams extends Packing {
  /** Whether the matrix is read transposed. */
  readonly transpose: boolean;
}

/** float32 `[K,N]`, or `[N,K]` if transposed, to the floats of its panels. */
export const packPrimitive: Primitive<PackParams> = {
  name: "pack",
  infer: ([x], { width, transpose }) => {
    const [rows, columns] = matrixSize(x as TensorType, transpose);
    return [{ dtype: (x as TensorType).dtype, shape: [rows * wholeVectors(columns, width)] }];
  },
  evaluate: ([x], [packed], { transpose, ...packing }) => {
    const { data, offset } = x as View;
    const [rows, columns] = matrixSize(x as View, transpose);
    const { data: out, offset: at } = packed as View;
    for (let column = 0; column < wholeVectors(columns, packing.width); column++) {
      const { start, stride } = placeOfColumn(column, rows, columns, packing);
      for (let row = 0; row < rows; row++) {
        const from = transpose ? column * rows + row : row * columns + column;
        out[at + start + row * stride] = column < columns ? (data[offset + from] as number) : 0;
      }
    }
  },
  ...withoutDerivative("pack"),
};

const wholeVectors = (columns: number, width: number): number => Math.ceil(columns / width) * width;

/** Where a column of a packed matrix starts, and how far its elements are apart. */
function placeOfColumn(column: number, rows: number, columns: number, { panel, width }: Packing) {
  const first = column - (column % panel);
  return { start: first * rows + (column % panel), stride: wholeVectors(Math.min(panel, columns - first), width) };
}

const matrixSize = ({ shape }: TensorType, transposed: boolean): [rows: number, columns: number] => {
  const [rows, columns] = shape as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
};

/** How a product is formed; with the packing of its second operand, if that is packed. */
export interface ProductParams extends Partial<Packing> {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** If the second operand is packed: the number of columns that it had. */
  readonly packedColumns?: number;
}

/**
 * C = A B, or C = D + A B with a third operand of the shape of C, or of one row, in any shape, that is added to every row of C.
 * Operands are matrices.
 */
export const productPrimitive: Primitive<ProductParams> = {
  name: "product",
  infer: ([a, b], { transposeA, transposeB, packedColumns }) => {
    const [rows] = matrixSize(a as TensorType, transposeA);
    const columns = packedColumns ?? matrixSize(b as TensorType, transposeB)[1];
    return [{ dtype: (a as TensorType).dtype, shape: [rows, columns] }];
  },
  evaluate: (inputs, [output], { transposeA, transposeB, packedColumns, ...packing }) => {
    const [a, b, d] = inputs.map(hostTensorOf) as [HostTensor, HostTensor, HostTensor?];
    const right = packedColumns === undefined ? b : unpack(b, packedColumns, packing as Packing);
    const product = matmul(a, right, { transposeA, transposeB });
    const [, columns] = product.shape as [number, number];
    const addend = d && sizeOf(d.shape) === columns ? reshape(d, [columns]) : d;
    copyElements((addend ? add(product, broadcastTo(addend, product.shape)) : product) as HostTensor, output as View);
  },
  ...withoutDerivative("product"),
};

function unpack(packed: HostTensor, columns: number, packing: Packing): Tensor {
  const rows = sizeOf(packed.shape) / wholeVectors(columns, packing.width);
  const type = { dtype: packed.dtype, shape: [rows, columns] };
  const data = packed.data.slice(0, sizeOf(type.shape));
  for (let column = 0; column < columns; column++) {
    const { start, stride } = placeOfColumn(column, rows, columns, packing);
    for (let row = 0; row < rows; row++) data[row * columns + column] = packed.data[start + row * stride] as number;
  }
  return new HostTensor(type, data);
}
