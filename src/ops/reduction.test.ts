/** Sum, mean, max, min, logSumExp, argmax and broadcastTo, one element at a time. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  broadcastable,
  build,
  element,
  expectTensor,
  float64,
  type Index,
  indicesOf,
  int32,
  repeatedElement,
  scalar,
  tensors,
  tensorsOf,
} from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { DTypeError, ShapeError } from "../core/index.js";
import { compile } from "../runtime/index.js";
import { type DType, type Tensor, tensor, toNumber } from "../tensor/index.js";
import { grad } from "../transforms/index.js";
import * as ops from "./index.js";

const DTYPES = ["float32", "float64", "int32"] as const;
const FLOATS = ["float32", "float64"] as const;

interface Reduction {
  readonly f: (x: Tensor, options?: ops.ReductionOptions) => Tensor;
  readonly expected: (line: readonly number[]) => number;
  readonly dtypes: readonly DType[];
  /** Whether nothing can be reduced. */
  readonly ofNothing: boolean;
}

const total = (line: readonly number[]) => line.reduce((sum, x) => sum + x, 0);

const largest = (line: readonly number[]) =>
  line.reduce((best, x) => (Number.isNaN(x) || x > best ? x : best), line[0] as number);

const smallest = (line: readonly number[]) =>
  line.reduce((best, x) => (Number.isNaN(x) || x < best ? x : best), line[0] as number);

const reductions: Record<string, Reduction> = {
  sum: { f: ops.sum, expected: total, dtypes: DTYPES, ofNothing: true },
  mean: { f: ops.mean, expected: (line) => total(line) / line.length, dtypes: FLOATS, ofNothing: true },
  max: { f: ops.max, expected: largest, dtypes: DTYPES, ofNothing: false },
  min: { f: ops.min, expected: smallest, dtypes: DTYPES, ofNothing: false },
  logSumExp: {
    f: ops.logSumExp,
    expected: (line) => Math.log(total(line.map(Math.exp))),
    dtypes: FLOATS,
    ofNothing: false,
  },
};

/** A tensor, some of its axes, and whether they stay; axes are named from either end. */
const reducible = (dtype: DType, minLength: number, odd: boolean) =>
  tensors(dtype, odd, 0, minLength).chain((x) =>
    fc.record({
      x: fc.constant(x),
      axes: fc.subarray(x.shape.map((_, axis) => axis)),
      keepAxes: fc.boolean(),
      fromEnd: fc.boolean(),
    }),
  );

describe.each(Object.entries(reductions))("%s", (_, { f, expected, dtypes, ofNothing }) => {
  test.each(dtypes)("equals its formula over any axes of %s", (dtype) => {
    fc.assert(
      fc.property(reducible(dtype, ofNothing ? 0 : 1, true), ({ x, axes, keepAxes, fromEnd }) => {
        const lengths = axes.map((axis) => x.shape[axis] as number);
        const keptShape = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
        const kept = (index: Index) =>
          x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [index[axis] as number]));
        const line = (index: Index) =>
          indicesOf(lengths).map((inner) =>
            element(
              x,
              ...index.map((own, axis) => (axes.includes(axis) ? (inner[axes.indexOf(axis)] as number) : own)),
            ),
          );
        const wanted = build(dtype, keptShape, (...index) => expected(line(index)));
        const shape = keepAxes ? keptShape : kept(x.shape);
        const named = fromEnd ? axes.map((axis) => axis - x.shape.length) : axes;
        expectTensor(
          f(x, { axes: named, keepAxes }),
          build(
            dtype,
            shape,
            (...index) => wanted.data[indicesOf(shape).findIndex((other) => `${other}` === `${index}`)] as number,
          ),
          TOLERANCES[dtype],
        );
      }),
      { numRuns: 80 },
    );
  });

  test("without options reduces to a scalar", () => {
    expectTensor(
      f(
        tensor([
          [1, 3],
          [2, 2],
        ]),
      ),
      scalar(expected([1, 3, 2, 2]), "float32"),
      TOLERANCES.float32,
    );
  });

  test("does not reduce one axis twice, or one that is not there", () => {
    expect(() => f(float64(1, 2), { axes: [0, -1] })).toThrow(ShapeError);
    expect(() => f(float64(1, 2), { axes: [0, -1] })).toThrow("axes [0,-1] name one axis twice");
    expect(() => f(float64(1, 2), { axes: 1 })).toThrow("there is no axis 1 in a tensor with 1 axis");
  });

  if (ofNothing) return;

  test("of nothing is an error that names the axis", () => {
    expect(() => f(ops.zeros([2, 0]), { axes: 1 })).toThrow(new ShapeError("max: axis 1 of float32[2,0] is empty"));
  });
});

test("the sum of nothing is 0, the mean of nothing NaN", () => {
  expectTensor(ops.sum(ops.zeros([2, 0]), { axes: 1 }), tensor([0, 0]));
  expectTensor(ops.mean(ops.zeros([2, 0]), { axes: 1 }), tensor([NaN, NaN]));
});

test("float32 sums are rounded once", () => {
  // 2^24 + 1 is no float32; one by one each 1 would be lost.
  expectTensor(ops.sum(tensor([2 ** 24, 1, 1])), scalar(2 ** 24 + 2, "float32"));
});

describe("logSumExp", () => {
  test("of a row of -Infinity is -Infinity, beside rows that are not", () => {
    const rows = tensor(
      [
        [-Infinity, -Infinity],
        [0, -Infinity],
        [0, Infinity],
        [NaN, 0],
      ],
      { dtype: "float64" },
    );
    expectTensor(ops.logSumExp(rows, { axes: 1 }), float64(-Infinity, 0, Infinity, NaN));
  });

  test("does not overflow", () => {
    expectTensor(ops.logSumExp(float64(1000, 1000)), scalar(1000 + Math.LN2), TOLERANCES.float64);
  });

  test("has the softmax as its gradient, 0 where the operand is -Infinity", () => {
    const e = Math.E;
    expectTensor(
      grad((x: Tensor) => ops.logSumExp(x))(float64(0, 1, -Infinity)),
      float64(1 / (1 + e), e / (1 + e), 0),
      TOLERANCES.float64,
    );
  });

  test("does not take int32", () => {
    expect(() => ops.logSumExp(int32(1))).toThrow(
      new DTypeError("logSumExp: needs float32 or float64, but was given int32[1]; convert it with cast"),
    );
  });
});

describe("elements that tie", () => {
  test("along one axis share the gradient of max and min equally", () => {
    expectTensor(grad((x: Tensor) => ops.max(x))(float64(3, 1, 3)), float64(0.5, 0, 0.5));
    expectTensor(grad((x: Tensor) => ops.min(x))(float64(1, 1, 1)), float64(1 / 3, 1 / 3, 1 / 3));
  });

  test("along several axes share it equally, too", () => {
    const x = tensor(
      [
        [1, 1],
        [1, 0],
      ],
      { dtype: "float64" },
    );
    const third = 1 / 3;
    expectTensor(
      grad((y: Tensor) => ops.max(y))(x),
      tensor(
        [
          [third, third],
          [third, 0],
        ],
        { dtype: "float64" },
      ),
    );
  });
});

describe("argmax", () => {
  test.each(DTYPES)("is the first index of the largest element along any axis of %s", (dtype) => {
    const withAxis = tensors(dtype, false, 1, 1).chain((x) =>
      fc.record({ x: fc.constant(x), axis: fc.nat({ max: x.shape.length - 1 }) }),
    );
    fc.assert(
      fc.property(withAxis, ({ x, axis }) => {
        const at = (...index: number[]) => {
          const line = Array.from({ length: x.shape[axis] as number }, (_, k) =>
            element(x, ...index.toSpliced(axis, 0, k)),
          );
          return line.indexOf(largest(line));
        };
        expectTensor(ops.argmax(x, axis), build("int32", x.shape.toSpliced(axis, 1), at));
      }),
      { numRuns: 60 },
    );
  });

  test("takes NaN for the largest, as max does", () => {
    expect(toNumber(ops.argmax(tensor([1, Number.NaN, 3, Number.NaN])))).toBe(1);
  });

  test("of nothing is an error", () => {
    expect(() => ops.argmax(ops.zeros([2, 0]))).toThrow(new ShapeError("argmax: axis 1 of float32[2,0] is empty"));
  });
});

describe("broadcastTo", () => {
  test.each(DTYPES)("repeats %s elements along missing axes and axes of length 1", (dtype) => {
    const repeated = broadcastable(2).chain(({ shape, inner }) =>
      tensorsOf(dtype, inner[0] as number[]).map((x) => ({ shape, x })),
    );
    fc.assert(
      fc.property(repeated, ({ shape, x }) => {
        const wanted = build(dtype, shape, (...index) => repeatedElement(x, index));
        expectTensor(ops.broadcastTo(x, shape), wanted);
        expectTensor(compile((y: Tensor) => ops.broadcastTo(y, shape))(x), wanted);
      }),
    );
  });

  test("does not drop axes or stretch lengths", () => {
    expect(() => ops.broadcastTo(ops.zeros([2, 3]), [3])).toThrow(
      new ShapeError("broadcastTo: float32[2,3] cannot be repeated to [3]"),
    );
    expect(() => ops.broadcastTo(ops.zeros([2]), [4])).toThrow(ShapeError);
  });
});
