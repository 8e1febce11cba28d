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

/** A matrix whose columns stand in panels: `[panels][rows][panel]`, the last panel filled up with zeros. */
export interface PackParams {
  /** Columns of a panel. */
  readonly panel: number;
  /** Whether the matrix is read transposed. */
  readonly transpose: boolean;
}

/** float32 `[K,N]`, or `[N,K]` if transposed, to `[ceil(N / panel), K, panel]`. */
export const packPrimitive: Primitive<PackParams> = {
  name: "pack",
  infer: ([x], { panel, transpose }) => {
    const [rows, columns] = matrixSize(x as TensorType, transpose);
    return [{ dtype: (x as TensorType).dtype, shape: [Math.ceil(columns / panel), rows, panel] }];
  },
  evaluate: ([x], [packed], { panel, transpose }) => {
    const { data, offset } = x as View;
    const [rows, columns] = matrixSize(x as View, transpose);
    const { data: out, offset: at } = packed as View;
    for (let column = 0; column < Math.ceil(columns / panel) * panel; column++) {
      const place = at + Math.floor(column / panel) * rows * panel + (column % panel);
      for (let row = 0; row < rows; row++) {
        const from = transpose ? column * rows + row : row * columns + column;
        out[place + row * panel] = column < columns ? (data[offset + from] as number) : 0;
      }
    }
  },
  ...withoutDerivative("pack"),
};

const matrixSize = ({ shape }: TensorType, transposed: boolean): [rows: number, columns: number] => {
  const [rows, columns] = shape as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
};

/** How a product is formed. */
export interface ProductParams {
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
  evaluate: (inputs, [output], { transposeA, transposeB, packedColumns }) => {
    const [a, b, d] = inputs.map(hostTensorOf) as [HostTensor, HostTensor, HostTensor?];
    const right = packedColumns === undefined ? b : unpack(b, packedColumns);
    const product = matmul(a, right, { transposeA, transposeB });
    const [, columns] = product.shape as [number, number];
    const addend = d && sizeOf(d.shape) === columns ? reshape(d, [columns]) : d;
    copyElements((addend ? add(product, broadcastTo(addend, product.shape)) : product) as HostTensor, output as View);
  },
  ...withoutDerivative("product"),
};

function unpack(packed: HostTensor, columns: number): Tensor {
  const [, rows, panel] = packed.shape as [number, number, number];
  const type = { dtype: packed.dtype, shape: [rows, columns] };
  const data = packed.data.slice(0, sizeOf(type.shape));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = Math.floor(column / panel) * rows * panel + row * panel + (column % panel);
      data[row * columns + column] = packed.data[from] as number;
    }
  }
  return new HostTensor(type, data);
}
