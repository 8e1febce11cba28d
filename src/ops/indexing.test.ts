/** Reading and writing at computed places, one element at a time. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { build, element, expectTensor, int32, scalar, tensors, tensorsOf } from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { DTypeError, ShapeError } from "../core/index.js";
import { compile } from "../runtime/index.js";
import { type DType, HostTensor, type Tensor, tensor } from "../tensor/index.js";
import * as ops from "./index.js";

const DTYPES = ["float32", "float64", "int32"] as const;

/** A table with at least one row, and indices of any shape into it. */
const lookUps = (dtype: DType) =>
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), tensors(dtype, false, 0, 0), tensors("int32"))
    .chain(([rows, { shape }, { shape: places }]) =>
      fc.record({
        table: tensorsOf(dtype, [rows, ...shape.slice(0, 2)]),
        indices: fc
          .array(fc.nat({ max: rows - 1 }), { minLength: 64, maxLength: 64 })
          .map((values) =>
            build("int32", places, (...index) => values[index.reduce((p, k) => p * 4 + k, 0)] as number),
          ),
      }),
    );

describe("gather", () => {
  test.each(DTYPES)("takes rows of %s at indices of any shape", (dtype) => {
    fc.assert(
      fc.property(lookUps(dtype), ({ table, indices }) => {
        const rank = indices.shape.length;
        const wanted = build(dtype, [...indices.shape, ...table.shape.slice(1)], (...index) =>
          element(table, element(indices, ...index.slice(0, rank)), ...index.slice(rank)),
        );
        expectTensor(ops.gather(table, indices), wanted);
        expectTensor(compile(ops.gather)(table, indices), wanted);
      }),
      { numRuns: 50 },
    );
  });

  test.each([3, -1])("of row %s of 3 is an error when it runs, eagerly and compiled", (row) => {
    const table = ops.zeros([3, 2]);
    const error = new ShapeError(`gather: there is no row ${row}; the table has 3 rows`);
    expect(() => ops.gather(table, int32(row))).toThrow(error);
    expect(() => compile(ops.gather)(table, int32(row))).toThrow(error);
  });

  test("needs int32 indices and a table with an axis", () => {
    expect(() => ops.gather(ops.zeros([3]), ops.zeros([1]))).toThrow(
      new DTypeError("gather: indices must be int32, but are float32[1]"),
    );
    expect(() => ops.gather(ops.zeros([]), int32(0))).toThrow("gather: the table must have at least one axis");
  });
});

describe("scatterAdd", () => {
  test.each(DTYPES)("adds every row of %s at its index, also one that comes twice", (dtype) => {
    const scattered = lookUps(dtype).chain(({ table, indices }) =>
      tensorsOf(dtype, [...indices.shape, ...table.shape.slice(1)]).map((rows) => ({ table, indices, rows })),
    );
    fc.assert(
      fc.property(scattered, ({ table, indices, rows }) => {
        const width = table.shape.slice(1).reduce((size, own) => size * own, 1);
        const data = table.data.slice();
        indices.data.forEach((row, k) => {
          for (let column = 0; column < width; column++) {
            data[row * width + column] =
              (data[row * width + column] as number) + (rows.data[k * width + column] as number);
          }
        });
        const wanted = new HostTensor(table, data);
        expectTensor(ops.scatterAdd(table, indices, rows), wanted, TOLERANCES.exact);
        expectTensor(compile(ops.scatterAdd)(table, indices, rows), wanted, TOLERANCES.exact);
      }),
      { numRuns: 50 },
    );
  });

  test("says what the rows must be", () => {
    const message = "scatterAdd: the rows must be float32[2,3], but are float32[3,2]";
    expect(() => ops.scatterAdd(ops.zeros([4, 3]), int32(0, 1), ops.zeros([3, 2]))).toThrow(new ShapeError(message));
  });
});

describe("oneHot", () => {
  test.each(DTYPES)("is 1 of %s at the index, and nowhere for an index outside", (dtype) => {
    const indexed = fc.record({ indices: tensors("int32"), size: fc.nat({ max: 4 }) });
    fc.assert(
      fc.property(indexed, ({ indices, size }) => {
        const at = (...index: number[]) => (element(indices, ...index.slice(0, -1)) === index.at(-1) ? 1 : 0);
        expectTensor(ops.oneHot(indices, size, dtype), build(dtype, [...indices.shape, size], at));
      }),
      { numRuns: 30 },
    );
  });

  test("needs int32 indices", () => {
    expect(() => ops.oneHot(ops.zeros([2]), 3)).toThrow("oneHot: indices must be int32, but are float32[2]");
  });
});

/** A tensor, one of its axes, a window that fits, and a start anywhere. */
const windows = (dtype: DType) =>
  tensors(dtype, true, 1).chain((x) =>
    fc.nat({ max: x.shape.length - 1 }).chain((axis) =>
      fc.record({
        x: fc.constant(x),
        axis: fc.constant(axis),
        length: fc.nat({ max: x.shape[axis] as number }),
        start: fc.integer({ min: -3, max: 7 }),
      }),
    ),
  );

const heldInside = (start: number, whole: number, length: number) =>
  start < 0 ? 0 : start + length > whole ? whole - length : start;

describe("dynamicSlice", () => {
  test.each(DTYPES)("takes a window of %s, moved inside where it does not fit", (dtype) => {
    fc.assert(
      fc.property(windows(dtype), ({ x, axis, length, start }) => {
        const first = heldInside(start, x.shape[axis] as number, length);
        const wanted = build(dtype, x.shape.with(axis, length), (...index) =>
          element(x, ...index.with(axis, first + (index[axis] as number))),
        );
        expectTensor(ops.dynamicSlice(x, scalar(start, "int32"), length, axis), wanted);
        const compiled = compile((y: Tensor, s: Tensor) => ops.dynamicSlice(y, s, length, axis));
        expectTensor(compiled(x, scalar(start, "int32")), wanted);
      }),
      { numRuns: 60 },
    );
  });

  test("does not take a window that is longer than the axis, or a start that is no int32 scalar", () => {
    expect(() => ops.dynamicSlice(ops.zeros([2, 3]), scalar(0, "int32"), 3)).toThrow(
      new ShapeError("dynamicSlice: a window of 3 is longer than axis 0 of float32[2,3]"),
    );
    expect(() => ops.dynamicSlice(ops.zeros([2]), int32(0), 1)).toThrow(
      new DTypeError("dynamicSlice: the start must be int32[], but is int32[1]"),
    );
  });
});

describe("dynamicUpdate", () => {
  test.each(DTYPES)("replaces a window of %s, moved inside where it does not fit", (dtype) => {
    const updates = windows(dtype).chain(({ x, axis, length, start }) =>
      tensorsOf(dtype, x.shape.with(axis, length), true).map((window) => ({ x, axis, length, start, window })),
    );
    fc.assert(
      fc.property(updates, ({ x, axis, length, start, window }) => {
        const first = heldInside(start, x.shape[axis] as number, length);
        const wanted = build(dtype, x.shape, (...index) => {
          const k = (index[axis] as number) - first;
          return k >= 0 && k < length ? element(window, ...index.with(axis, k)) : element(x, ...index);
        });
        expectTensor(ops.dynamicUpdate(x, window, scalar(start, "int32"), axis), wanted);
        const compiled = compile((y: Tensor, w: Tensor, s: Tensor) => ops.dynamicUpdate(y, w, s, axis));
        expectTensor(compiled(x, window, scalar(start, "int32")), wanted);
      }),
      { numRuns: 60 },
    );
  });

  test.each([[[2, 4]], [[3, 3]], [[2]], [[2, 3, 1]]])(
    "does not take a window of [%s] into [2,3] along axis 1",
    (shape) => {
      const message = `dynamicUpdate: float32[${shape}] does not fit into float32[2,3] along axis 1`;
      expect(() => ops.dynamicUpdate(ops.zeros([2, 3]), ops.ones(shape), scalar(0, "int32"), 1)).toThrow(
        new ShapeError(message),
      );
    },
  );

  test("leaves the given tensor as it was", () => {
    const x = tensor([1, 2, 3]);
    ops.dynamicUpdate(x, tensor([9]), scalar(0, "int32"));
    ops.scatterAdd(x, int32(0), tensor([9]));
    expectTensor(x, tensor([1, 2, 3]));
  });
});
