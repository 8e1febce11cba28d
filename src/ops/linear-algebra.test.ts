/** Matrix products against the sum that defines them. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { build, element, expectTensor, repeatedElement, spread, tensorsOf } from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { DTypeError, ShapeError } from "../core/index.js";
import { compile } from "../runtime/index.js";
import type { Tensor } from "../tensor/index.js";
import * as ops from "./index.js";

const FLOATS = ["float32", "float64"] as const;

/** C[..., i, j] = Σₖ A[..., i, k] B[..., k, j], batch axes repeated. */
function product(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: ops.MatmulOptions): Tensor {
  const rank = Math.max(a.shape.length, b.shape.length) - 2;
  const batch = Array.from({ length: rank }, (_, axis) => {
    const lengths = [a, b].map(({ shape }) => shape.slice(0, -2).at(axis - rank) ?? 1);
    return lengths.find((length) => length !== 1) ?? 1;
  });
  const matrix = (x: Tensor, outer: number[], row: number, column: number) =>
    repeatedElementOfBatch(x, outer, row, column);
  const m = a.shape.at(transposeA ? -1 : -2) as number;
  const k = a.shape.at(transposeA ? -2 : -1) as number;
  const n = b.shape.at(transposeB ? -2 : -1) as number;
  return build(a.dtype, [...batch, m, n], (...index) => {
    const [i, j] = index.slice(-2) as [number, number];
    const outer = index.slice(0, -2);
    let sum = 0;
    for (let inner = 0; inner < k; inner++) {
      const left = transposeA ? matrix(a, outer, inner, i) : matrix(a, outer, i, inner);
      const right = transposeB ? matrix(b, outer, j, inner) : matrix(b, outer, inner, j);
      sum += left * right;
    }
    return sum;
  });
}

/** Repeats batch axes, but not the axes of the matrix. */
function repeatedElementOfBatch(x: Tensor, outer: number[], row: number, column: number): number {
  const batch = build("int32", x.shape.slice(0, -2), (...index) =>
    index.reduce((place, step, axis) => place * (x.shape[axis] as number) + step, 0),
  );
  const place = repeatedElement(batch, outer);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return x.data[(place * rows + row) * columns + column] as number;
}

const length = fc.integer({ min: 0, max: 6 });

describe.each([
  { transposeA: false, transposeB: false },
  { transposeA: true, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: true },
])("matmul $transposeA $transposeB", (options) => {
  test.each(FLOATS)("equals the sum of products for %s matrices and batches that repeat", (dtype) => {
    const operands = fc
      .record({
        m: length,
        k: length,
        n: length,
        batch: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
        repeatA: fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }),
        repeatB: fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }),
        missingA: fc.nat({ max: 2 }),
        missingB: fc.nat({ max: 2 }),
      })
      .chain(({ m, k, n, batch, repeatA, repeatB, missingA, missingB }) => {
        const outer = (repeat: boolean[], missing: number) =>
          batch.map((own, axis) => (repeat[axis] ? 1 : own)).slice(missing);
        const a = [...outer(repeatA, missingA), ...(options.transposeA ? [k, m] : [m, k])];
        const b = [...outer(repeatB, missingB), ...(options.transposeB ? [n, k] : [k, n])];
        return fc.tuple(tensorsOf(dtype, a), tensorsOf(dtype, b));
      });
    fc.assert(
      fc.property(operands, ([a, b]) => {
        const wanted = product(a, b, options);
        expectTensor(ops.matmul(a, b, options), wanted, TOLERANCES[dtype]);
        expectTensor(compile((x: Tensor, y: Tensor) => ops.matmul(x, y, options))(a, b), wanted, TOLERANCES[dtype]);
      }),
      { numRuns: 60 },
    );
  });
});

test("matmul equals the sum of products where blocks of four and a rest meet", () => {
  const [a, b] = [spread([9, 7]), spread([7, 13], -1, 1)];
  expectTensor(ops.matmul(a, b), product(a, b, {}), TOLERANCES.float64);
});

test("float32 products are summed in float64 and rounded once", () => {
  // 2^24 + 1 + 1 - 2^24: the ones would be lost in float32.
  const a = ops.cast(spread([1, 4], 1, 1), "float32");
  const b = build("float32", [4, 1], (k) => [2 ** 24, 1, 1, -(2 ** 24)][k] as number);
  expect(element(ops.matmul(a, b), 0, 0)).toBe(2);
});

test("matmul of a vector says how many axes it needs", () => {
  const message = "matmul: needs at least two axes, but was given float32[3]";
  expect(() => ops.matmul(ops.zeros([3]), ops.zeros([3, 3]))).toThrow(new ShapeError(message));
});

test("matmul names operands that do not fit, and what is transposed", () => {
  const message = "matmul: float32[2,3] and float32[3,2], second transposed do not fit";
  expect(() => ops.matmul(ops.zeros([2, 3]), ops.zeros([3, 2]), { transposeB: true })).toThrow(new ShapeError(message));
});

test("matmul names operands whose batches do not fit", () => {
  const message = "matmul: float32[2,3,4] and float32[5,4,3] do not fit";
  expect(() => ops.matmul(ops.zeros([2, 3, 4]), ops.zeros([5, 4, 3]))).toThrow(new ShapeError(message));
});

test("matmul multiplies floats of one type only", () => {
  const message = "matmul: int32[1,1] and int32[1,1] must both be float32 or both be float64";
  expect(() => ops.matmul(ops.ones([1, 1], "int32"), ops.ones([1, 1], "int32"))).toThrow(new DTypeError(message));
});
