/** Elementwise operations, one element at a time. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  broadcastTensors,
  build,
  expectTensor,
  float64,
  int32,
  repeatedElement,
  scalar,
  tensors,
  tensorsOf,
} from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { DTypeError, ShapeError } from "../core/index.js";
import { type DType, type Tensor, tensor, toNested } from "../tensor/index.js";
import { grad, vjp } from "../transforms/index.js";
import * as ops from "./index.js";

const DTYPES = ["float32", "float64", "int32"] as const;
const FLOATS = ["float32", "float64"] as const;

interface Unary {
  readonly f: (x: Tensor) => Tensor;
  readonly expected: (x: number) => number;
  readonly dtypes: readonly DType[];
  readonly result?: DType;
  /** Composed of several operations, with a rounding in each. */
  readonly composed?: boolean;
}

const unary: Record<string, Unary> = {
  negate: { f: ops.negate, expected: (x) => 0 - x, dtypes: DTYPES },
  sign: { f: ops.sign, expected: (x) => (x > 0 ? 1 : x < 0 ? -1 : x), dtypes: DTYPES },
  floor: { f: ops.floor, expected: (x) => (Math.trunc(x) > x ? Math.trunc(x) - 1 : Math.trunc(x)), dtypes: DTYPES },
  abs: { f: ops.abs, expected: (x) => (x < 0 ? -x : x), dtypes: FLOATS },
  exp: { f: ops.exp, expected: Math.exp, dtypes: FLOATS },
  log: { f: ops.log, expected: Math.log, dtypes: FLOATS },
  log1p: { f: ops.log1p, expected: Math.log1p, dtypes: FLOATS },
  expm1: { f: ops.expm1, expected: Math.expm1, dtypes: FLOATS },
  sqrt: { f: ops.sqrt, expected: Math.sqrt, dtypes: FLOATS },
  reciprocal: { f: ops.reciprocal, expected: (x) => 1 / x, dtypes: FLOATS },
  square: { f: ops.square, expected: (x) => x ** 2, dtypes: FLOATS },
  sin: { f: ops.sin, expected: Math.sin, dtypes: FLOATS },
  cos: { f: ops.cos, expected: Math.cos, dtypes: FLOATS },
  tanh: { f: ops.tanh, expected: Math.tanh, dtypes: FLOATS },
  sigmoid: { f: ops.sigmoid, expected: (x) => (1 + Math.tanh(x / 2)) / 2, dtypes: FLOATS, composed: true },
  relu: { f: ops.relu, expected: (x) => (x > 0 || Number.isNaN(x) ? x : 0), dtypes: FLOATS },
  softplus: {
    f: ops.softplus,
    expected: (x) => (x > 30 ? x : Math.log(1 + Math.exp(x))),
    dtypes: FLOATS,
    composed: true,
  },
  isFiniteNumber: { f: ops.isFiniteNumber, expected: (x) => (x - x === 0 ? 1 : 0), dtypes: DTYPES, result: "int32" },
  logicalNot: { f: ops.logicalNot, expected: (x) => (x === 0 ? 1 : 0), dtypes: DTYPES, result: "int32" },
};

describe.each(Object.entries(unary))("%s", (_, { f, expected, dtypes, result, composed }) => {
  test.each(dtypes)("equals its formula on every element of %s, NaN and infinities among them", (dtype) => {
    fc.assert(
      fc.property(tensors(dtype, true), (x) => {
        const wanted = build(result ?? dtype, x.shape, (...index) => expected(repeatedElement(x, index)));
        expectTensor(f(x), wanted, composed ? TOLERANCES[dtype] : TOLERANCES.exact);
      }),
      { numRuns: 40 },
    );
  });
});

test("operations with a float derivative do not take int32, and say to cast", () => {
  const message = "tanh: needs float32 or float64, but was given int32[2]; convert it with cast";
  expect(() => ops.tanh(int32(1, 2))).toThrow(new DTypeError(message));
});

interface Binary {
  readonly f: (a: Tensor | number, b: Tensor | number) => Tensor;
  readonly expected: (a: number, b: number) => number;
  readonly result?: DType;
}

const isNaN2 = (a: number, b: number) => Number.isNaN(a) || Number.isNaN(b);

const binary: Record<string, Binary> = {
  add: { f: ops.add, expected: (a, b) => a + b },
  subtract: { f: ops.subtract, expected: (a, b) => a - b },
  multiply: { f: ops.multiply, expected: (a, b) => a * b },
  divide: { f: ops.divide, expected: (a, b) => a / b },
  power: { f: ops.power, expected: (a, b) => a ** b },
  maximum: { f: ops.maximum, expected: (a, b) => (isNaN2(a, b) ? NaN : a > b ? a : b) },
  minimum: { f: ops.minimum, expected: (a, b) => (isNaN2(a, b) ? NaN : a < b ? a : b) },
  equal: { f: ops.equal, expected: (a, b) => (a === b ? 1 : 0), result: "int32" },
  notEqual: { f: ops.notEqual, expected: (a, b) => (a === b ? 0 : 1), result: "int32" },
  greater: { f: ops.greater, expected: (a, b) => (a > b ? 1 : 0), result: "int32" },
  greaterEqual: { f: ops.greaterEqual, expected: (a, b) => (a > b || a === b ? 1 : 0), result: "int32" },
  less: { f: ops.less, expected: (a, b) => (b > a ? 1 : 0), result: "int32" },
  lessEqual: { f: ops.lessEqual, expected: (a, b) => (b > a || a === b ? 1 : 0), result: "int32" },
  logicalAnd: {
    f: ops.logicalAnd as Binary["f"],
    expected: (a, b) => (a === 0 || b === 0 ? 0 : 1),
    result: "int32",
  },
  logicalOr: { f: ops.logicalOr as Binary["f"], expected: (a, b) => (a === 0 && b === 0 ? 0 : 1), result: "int32" },
};

describe.each(Object.entries(binary))("%s", (name, { f, expected, result }) => {
  test.each(DTYPES)("equals its formula on %s operands that repeat to one shape", (dtype) => {
    fc.assert(
      fc.property(broadcastTensors(dtype, 2, true), ({ shape, inputs }) => {
        const [a, b] = [inputs[0] as Tensor, inputs[1] as Tensor];
        const at = (...index: number[]) => expected(repeatedElement(a, index), repeatedElement(b, index));
        expectTensor(f(a, b), build(result ?? dtype, shape, at));
      }),
      { numRuns: 40 },
    );
  });

  test("names both shapes that do not fit", () => {
    expect(() => f(float64(1, 2), float64(1, 2, 3))).toThrow(ShapeError);
    expect(() => f(float64(1, 2), float64(1, 2, 3))).toThrow(/\[2\] and \[3\]/);
  });

  if (name.startsWith("logical")) return;

  test.each(DTYPES)("takes numbers on either side of %s", (dtype) => {
    fc.assert(
      fc.property(tensors(dtype), fc.integer({ min: -3, max: 3 }), (x, number) => {
        const own = (index: number[]) => repeatedElement(x, index);
        expectTensor(
          f(x, number),
          build(result ?? dtype, x.shape, (...i) => expected(own(i), number)),
        );
        expectTensor(
          f(number, x),
          build(result ?? dtype, x.shape, (...i) => expected(number, own(i))),
        );
      }),
      { numRuns: 20 },
    );
  });

  test("does not mix element types", () => {
    expect(() => f(float64(1, 2), int32(1, 2))).toThrow(DTypeError);
  });
});

test("two numbers make a float32 scalar", () => {
  expectTensor(ops.add(1, 2.5), scalar(3.5, "float32"));
});

test("a number that is not whole is not cut off beside int32", () => {
  const message = "multiply: 0.5 is no int32; convert int32[1] with cast, or use a whole number";
  expect(() => ops.multiply(int32(4), 0.5)).toThrow(new DTypeError(message));
  expect(() => ops.greater(Number.POSITIVE_INFINITY, int32(4))).toThrow(DTypeError);
});

test("int32 quotients are cut off towards zero", () => {
  expectTensor(ops.divide(int32(7, -7, 6), int32(2, 2, -4)), int32(3, -3, -1));
});

test("softplus neither overflows nor vanishes", () => {
  expectTensor(ops.softplus(float64(1000, -1000, Infinity, -Infinity)), float64(1000, 0, Infinity, 0));
  expect(ops.softplus(float64(-40)).data[0]).toBeCloseTo(Math.exp(-40), 30);
});

test("the derivative of softplus at 0 is a half", () => {
  const at0 = grad((x: Tensor) => ops.sum(ops.softplus(x)))(float64(0));
  expectTensor(at0, float64(0.5));
});

test("maximum and minimum share the gradient of operands that are equal", () => {
  const gradients = (f: typeof ops.maximum) =>
    grad(({ a, b }: { a: Tensor; b: Tensor }) => ops.sum(f(a, b)))({ a: float64(1, 2, 3), b: float64(1, 3, 2) });
  expectTensor(gradients(ops.maximum).a, float64(0.5, 0, 1));
  expectTensor(gradients(ops.maximum).b, float64(0.5, 1, 0));
  expectTensor(gradients(ops.minimum).a, float64(0.5, 1, 0));
  expectTensor(gradients(ops.minimum).b, float64(0.5, 0, 1));
});

test("the derivatives of abs and relu at 0 are 0", () => {
  expectTensor(grad((x: Tensor) => ops.sum(ops.abs(x)))(float64(0)), float64(0));
  expectTensor(grad((x: Tensor) => ops.sum(ops.relu(x)))(float64(0)), float64(0));
});

describe("select", () => {
  test.each(DTYPES)("takes one of two %s elements, with all three operands repeated", (dtype) => {
    const threeOperands = broadcastTensors(dtype, 3, true).chain(({ shape, inputs: [c, a, b] }) =>
      tensorsOf("int32", (c as Tensor).shape).map((condition) => ({
        shape,
        condition,
        a: a as Tensor,
        b: b as Tensor,
      })),
    );
    fc.assert(
      fc.property(threeOperands, ({ shape, condition, a, b }) => {
        const at = (...index: number[]) => repeatedElement(repeatedElement(condition, index) === 0 ? b : a, index);
        expectTensor(ops.select(condition, a, b), build(dtype, shape, at));
      }),
      { numRuns: 60 },
    );
  });

  test("keeps NaN of the operand that is not chosen out of value and gradient", () => {
    const safe = (x: Tensor) => ops.select(ops.greater(x, 0), x, NaN);
    expectTensor(safe(float64(2, 3)), float64(2, 3));
    expectTensor(grad((x: Tensor) => ops.sum(safe(x)))(float64(2, -3)), float64(1, 0));
  });

  test("needs an int32 condition", () => {
    const message = "select: the condition must be int32, but is float64[1]";
    expect(() => ops.select(float64(1), 1, 2)).toThrow(new DTypeError(message));
  });
});

describe("cast", () => {
  test.each(DTYPES.flatMap((from) => DTYPES.map((to) => [from, to] as const)))(
    "keeps numbers from %s to %s",
    (from, to) => {
      const convert = (x: number) => (to === "int32" ? Math.trunc(x) : x);
      fc.assert(
        fc.property(tensors(from), (x) => {
          expectTensor(
            ops.cast(x, to),
            build(to, x.shape, (...index) => convert(repeatedElement(x, index))),
          );
        }),
        { numRuns: 20 },
      );
    },
  );

  test("hands cotangents back in the type of its operand", () => {
    const { value, pullback } = vjp((x: Tensor) => ops.cast(x, "float32"), float64(1, 2));
    expectTensor(value, tensor([1, 2]));
    expectTensor(pullback(tensor([3, 0.5]))[0], float64(3, 0.5));
  });

  test("to int32 has no gradient", () => {
    const through = (x: Tensor) => ops.sum(ops.multiply(x, ops.cast(ops.cast(x, "int32"), "float64")));
    expectTensor(grad(through)(float64(2.5, -1.5)), float64(2, -1));
  });
});

test("clamp holds numbers inside, and passes NaN", () => {
  expect(toNested(ops.clamp(float64(-3, 0.5, 3, NaN), -1, 1))).toEqual([-1, 0.5, 1, NaN]);
  expect(toNested(ops.clamp(int32(-3, 0, 3), -1, 1))).toEqual([-1, 0, 1]);
});
