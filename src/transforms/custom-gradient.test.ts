import { describe, expect, test } from "vitest";
import { expectClose, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { TraceError } from "../core/index.js";
import { add, matmul, multiply, square, sum, tanh, zeros } from "../ops/index.js";
import { printProgram } from "../program/index.js";
import { compile } from "../runtime/index.js";
import { scan } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { checkGradients, customGradient, grad, jvp, traceTree } from "./index.js";

const x = numbers(1, [3, 4]);

/** x³, with the way back of x³. */
const cube = customGradient(
  (input) => ({ result: multiply(input, square(input)), kept: [square(input)] }),
  (cotangent, { kept: [squared] }) => [multiply(cotangent, multiply(squared as Tensor, 3))],
);

/** The identity, with a way back that says something else, so that it is seen which one is used. */
const reversed = customGradient(
  (input) => ({ result: multiply(input, 1) }),
  (cotangent) => [multiply(cotangent, -1)],
);

test("the result is that of the function", () => {
  expectClose(cube(x), multiply(x, multiply(x, x)), TOLERANCES.float64);
});

test("the gradient is the one that was written, eagerly and compiled", () => {
  const loss = (at: Tensor) => sum(multiply(reversed(at), at));
  expectClose(grad(loss)(x), zeros([3, 4], "float64"), TOLERANCES.float64);
  expectClose(compile((at: Tensor) => grad(loss)(at))(x), zeros([3, 4], "float64"), TOLERANCES.float64);
});

test("first and second derivatives are right where it is right", () => {
  expect(checkGradients((at: Tensor) => sum(multiply(cube(at), at)), [x]).maxError).toBeLessThan(TOLERANCES.gradient);
});

test("forward mode goes through the function", () => {
  const direction = numbers(2, [3, 4]);
  const { tangent } = jvp(cube, [x], [direction]);
  expectClose(tangent, multiply(direction, multiply(square(x), 3)), TOLERANCES.float64);
});

test("it works in loops, and is gone from what is compiled", () => {
  const w = numbers(3, [4, 4]);
  const f = (xs: Tensor) => {
    const [last] = scan(
      (h: Tensor, one: Tensor) => [tanh(add(cube(matmul(h, w)), one)), []],
      zeros([2, 4], "float64"),
      xs,
    );
    return sum(square(last));
  };
  const plain = (xs: Tensor) => {
    const own = (y: Tensor) => multiply(y, square(y));
    const [last] = scan(
      (h: Tensor, one: Tensor) => [tanh(add(own(matmul(h, w)), one)), []],
      zeros([2, 4], "float64"),
      xs,
    );
    return sum(square(last));
  };
  const xs = numbers(4, [5, 2, 4]);
  expectClose(grad(f)(xs), grad(plain)(xs), TOLERANCES.float64);
  const compiled = compile((at: Tensor) => grad(f)(at));
  expectClose(compiled(xs), grad(plain)(xs), TOLERANCES.float64);
  const names = JSON.stringify(compiled.plan(xs).instructions, (key, value) =>
    key === "primitive" ? value.name : value,
  );
  expect(names).not.toContain('"custom"');
});

describe("the printed Program", () => {
  test("shows the function inside", () => {
    expect(printProgram(traceTree(cube, [numbers(1, [2])]).program)).toMatchInlineSnapshot(`
      "(a: float64[2]) {
        b: float64[2], c: float64[2] = custom[(a: float64[2]) {
          b: float64[2] = square a
          c: float64[2] = multiply a b
          d: float64[2] = square a
          return c d
        }] a
        return b
      }"
    `);
  });
});

test("a traced tensor that is not among the inputs is an error", () => {
  const wrong = (at: Tensor) =>
    customGradient(
      (input) => ({ result: multiply(input, at) }),
      (cotangent) => [cotangent],
    )(multiply(at, 2));
  expect(() => grad((at: Tensor) => sum(wrong(at)))(x)).toThrow(TraceError);
});
