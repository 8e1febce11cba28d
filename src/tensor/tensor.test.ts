/** Tensors: made from nested and typed arrays, read back, and refused. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { build, element, expectTensor, float64, shapes, tensors } from "../../test/scalar-loops.js";
import { DTypeError, ShapeError } from "../core/index.js";
import {
  allocate,
  BYTES,
  broadcastShapes,
  formatType,
  HostTensor,
  isTensor,
  mapTensors,
  type NestedNumbers,
  normalizeAxis,
  sizeOf,
  stridesOf,
  type Tensor,
  tensor,
  tensorsByPath,
  toNested,
  toNumber,
} from "./index.js";

const DTYPES = ["float32", "float64", "int32"] as const;

describe("tensor", () => {
  test.each(DTYPES)("of nested arrays is what toNested gives back, for %s", (dtype) => {
    fc.assert(
      fc.property(tensors(dtype, true), (x) => {
        const nested = toNested(x);
        const again = tensor(nested, { dtype });
        // An axis after one of length 0 cannot be seen in nested arrays.
        const seen = x.shape.includes(0) ? x.shape.slice(0, x.shape.indexOf(0) + 1) : x.shape;
        expect(again.shape).toEqual(seen);
        expect(toNested(again)).toEqual(nested);
      }),
    );
  });

  test("is float32 unless told otherwise, row-major", () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([x.dtype, x.shape, [...x.data]]).toEqual(["float32", [2, 3], [1, 2, 3, 4, 5, 6]]);
    expect(element(x, 1, 0)).toBe(4);
    expect(tensor(0.1).data[0]).toBe(Math.fround(0.1));
    expectTensor(tensor([0.1], { dtype: "float64" }), float64(0.1));
  });

  test("takes numbers in a shape of their own", () => {
    expectTensor(
      tensor([1, 2, 3, 4], { shape: [2, 2] }),
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
  });

  test("of a typed array shares its memory", () => {
    const data = Float64Array.of(1, 2, 3, 4);
    const x = tensor(data, { shape: [2, 2] });
    expect([x.dtype, x.shape]).toEqual(["float64", [2, 2]]);
    expect(x.data).toBe(data);
    expect(tensor(Int32Array.of(1)).shape).toEqual([1]);
  });

  test.each([1.5, 2 ** 31, Number.NaN])("does not take %d for an int32", (value) => {
    expect(() => tensor([0, value], { dtype: "int32" })).toThrow(new DTypeError(`tensor: ${value} is no int32`));
  });

  test.each<[NestedNumbers, string]>([
    [[[1, 2], [3]], "tensor: rows differ in length along axis 1: found a row of 1, expected a row of 2"],
    [[[1], [2, 3]], "tensor: rows differ in length along axis 1: found a row of 2, expected a row of 1"],
    [[[], [1]], "tensor: rows differ in length along axis 1: found a row of 1, expected a row of 0"],
    [[[1], 2], "tensor: rows differ in length along axis 1: found a number, expected a row of 1"],
    [[1, [2]], "tensor: rows differ in length along axis 1: found a row of 1, expected a number"],
  ])("does not take ragged rows %j", (rows, message) => {
    expect(() => tensor(rows)).toThrow(new ShapeError(message));
  });

  test("does not take a shape with other elements", () => {
    expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow(
      new ShapeError("float32[2,2] holds 4 numbers, but 3 were given"),
    );
    expect(() => tensor(new Float32Array(4), { shape: [-2, -2] })).toThrow(
      new ShapeError("tensor: [-2,-2] is no shape; lengths must be whole numbers of at least 0"),
    );
  });

  test("does not convert a typed array", () => {
    expect(() => tensor(new Float32Array(1), { dtype: "float64" })).toThrow(
      new DTypeError("tensor: a Float32Array holds float32, but float64 was asked for"),
    );
    expect(() => tensor(new Uint8Array(1) as unknown as Float32Array)).toThrow(
      new DTypeError("tensor: a Uint8Array is not supported; use Float32Array, Float64Array or Int32Array"),
    );
  });
});

test("a tensor prints its type and its elements, NaN and infinities too", () => {
  expect(
    String(
      tensor([
        [1, 0.1],
        [NaN, -Infinity],
      ]),
    ),
  ).toBe("float32[2,2] [[1,0.1],[NaN,-Infinity]]");
  expect(String(tensor(12345678, { dtype: "int32" }))).toBe("int32[] 12345678");
  expect(String(new HostTensor({ dtype: "int32", shape: [100] }, new Int32Array(100)))).toBe(
    "int32[100] (100 elements)",
  );
});

test("toNumber reads the one number, whatever the number of axes", () => {
  expect(toNumber(tensor([[[7]]]))).toBe(7);
  expect(() => toNumber(tensor([1, 2]))).toThrow(
    new ShapeError("toNumber: float32[2] does not hold exactly one number"),
  );
  expect(() => toNumber(tensor([]))).toThrow(ShapeError);
});

test("isTensor tells tensors from other values", () => {
  expect(isTensor(tensor(1))).toBe(true);
  for (const other of [null, undefined, 1, [tensor(1)], { x: tensor(1) }, new Float32Array(1)]) {
    expect(isTensor(other)).toBe(false);
  }
});

test("mapTensors walks trees of one form side by side", () => {
  const tree = (a: number, b: number) => ({ b: [float64(b)], a: float64(a) });
  const sum = (...all: Tensor[]) => float64(all.reduce((total, x) => total + toNumber(x), 0));
  expect(mapTensors(sum, tree(1, 2), tree(10, 20), tree(100, 200))).toEqual(tree(111, 222));
});

test("tensorsByPath names every tensor", () => {
  const [h, c] = [float64(1), float64(2)];
  expect(tensorsByPath({ state: [h, { c }] })).toEqual([
    ["state.0", h],
    ["state.1.c", c],
  ]);
});

describe("shapes", () => {
  test("strides lead to the elements", () => {
    fc.assert(
      fc.property(shapes(0, 1), (shape) => {
        const places = build("int32", shape, (...index) =>
          index.reduce((sum, step, axis) => sum + step * (stridesOf(shape)[axis] as number), 0),
        );
        expect([...places.data]).toEqual(Array.from({ length: sizeOf(shape) }, (_, k) => k));
      }),
    );
  });

  test("an axis may count from the end", () => {
    expect([0, 2, -1, -3].map((axis) => normalizeAxis("x", axis, 3))).toEqual([0, 2, 2, 0]);
  });

  test.each([3, -4, 0.5, NaN])("axis %s of 3 is not there", (axis) => {
    const message = `sum: there is no axis ${axis} in a tensor with 3 axes`;
    expect(() => normalizeAxis("sum", axis, 3)).toThrow(new ShapeError(message));
  });

  test("broadcastShapes aligns at the last axis, lengths of 0 included", () => {
    expect(broadcastShapes("add", [2, 1, 4], [3, 1])).toEqual([2, 3, 4]);
    expect(broadcastShapes("add", [], [0, 2])).toEqual([0, 2]);
    expect(broadcastShapes("add", [1], [0])).toEqual([0]);
    expect(() => broadcastShapes("add", [2, 0], [3])).toThrow(
      new ShapeError(
        "add: shapes [2,0] and [3] do not fit: axis 1 is 0 in one and 3 in the other; lengths must be equal, or one of them 1",
      ),
    );
  });

  test("formatType is short", () => {
    expect(formatType({ dtype: "float32", shape: [8, 16] })).toBe("float32[8,16]");
    expect(formatType({ dtype: "int32", shape: [] })).toBe("int32[]");
  });

  test.each(DTYPES)("allocate gives zeros of the size that BYTES says, for %s", (dtype) => {
    const data = allocate(dtype, 3);
    expect([...data]).toEqual([0, 0, 0]);
    expect(data.BYTES_PER_ELEMENT).toBe(BYTES[dtype]);
  });
});
