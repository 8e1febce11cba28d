/** grad, valueAndGrad, vjp and jvp against derivatives worked out by hand. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectTensor, float64, int32, scalar, spread, tensorsOf } from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { GradientError } from "../core/index.js";
import * as ops from "../ops/index.js";
import { type Tensor, tensor, toNumber } from "../tensor/index.js";
import { grad, jvp, valueAndGrad, vjp } from "./index.js";

const cube = (x: Tensor) => ops.multiply(x, ops.square(x));
const sumOf = (f: (x: Tensor) => Tensor) => (x: Tensor) => ops.sum(f(x));

describe("grad", () => {
  test("of x³ is 3x², again 6x, again 6, again 0", () => {
    const first = grad(cube);
    const second = grad(first);
    const third = grad(second);
    const fourth = grad(third);
    expect([first, second, third, fourth].map((f) => toNumber(f(scalar(2))))).toEqual([12, 12, 6, 0]);
  });

  test("of x³ by forward over reverse and reverse over forward is 6x", () => {
    const x = float64(2, -1);
    const ones = float64(1, 1);
    expectTensor(jvp(grad(sumOf(cube)), [x], [ones]).tangent, float64(12, -6));
    expectTensor(grad((y: Tensor) => ops.sum(jvp(cube, [y], [ones]).tangent))(x), float64(12, -6));
  });

  test("of a function inside the function it differentiates keeps the variables apart", () => {
    // d/dx (x · d/dy (x + y)) = 1, not 2: the classical perturbation confusion.
    const f = (x: Tensor) => ops.multiply(x, grad((y: Tensor) => ops.add(x, y))(scalar(1)));
    expectTensor(grad(f)(scalar(3)), scalar(1));
    const g = (x: Tensor) => ops.multiply(x, jvp((y: Tensor) => ops.add(x, y), [scalar(1)], [scalar(1)]).tangent);
    expectTensor(jvp(g, [scalar(3)], [scalar(1)]).tangent, scalar(1));
  });

  test("is a tree like the first argument, zero where the loss does not depend on it", () => {
    const params = { w: float64(1, 2), unused: float64(5), layers: [{ b: scalar(3) }] };
    const gradient = grad((p: typeof params, x: Tensor) =>
      ops.multiply(ops.sum(ops.multiply(p.w, x)), p.layers[0]?.b as Tensor),
    )(params, float64(10, 100));
    expectTensor(gradient.w, float64(30, 300));
    expectTensor(gradient.unused, float64(0));
    expectTensor(gradient.layers[0]?.b as Tensor, scalar(210));
  });

  test("of a tensor used several times adds up", () => {
    expectTensor(grad((x: Tensor) => ops.add(ops.add(ops.multiply(x, x), x), x))(scalar(5)), scalar(12));
  });

  test("of the identity is 1, of a constant 0", () => {
    expectTensor(grad((x: Tensor) => x)(scalar(4)), scalar(1));
    expectTensor(grad((_: Tensor) => scalar(2))(scalar(4)), scalar(0));
  });

  test("for whole numbers is zero", () => {
    const gradient = grad((p: { x: Tensor; k: Tensor }) => ops.sum(ops.gather(p.x, p.k)))({
      x: float64(1, 2, 3),
      k: int32(2, 2),
    });
    expectTensor(gradient.x, float64(0, 0, 2));
    expectTensor(gradient.k, int32(0, 0));
  });

  test("keeps float32", () => {
    expectTensor(grad((x: Tensor) => ops.sum(ops.square(x)))(tensor([1, 2])), tensor([2, 4]));
  });

  test.each([
    ["a vector", (x: Tensor) => x, "float64[2]"],
    ["a whole number", (x: Tensor) => ops.at(ops.cast(x, "int32"), 0), "int32[]"],
  ])("of a function that returns %s is an error", (_, f, shown) => {
    const message = `grad: the function must return one float number (or [that, extra]), but returned ${shown}; reduce it with sum or mean`;
    expect(() => grad(f)(float64(1, 2))).toThrow(new GradientError(message));
  });
});

describe("valueAndGrad", () => {
  test("gives the loss and its gradient", () => {
    const { value, gradient } = valueAndGrad(sumOf(ops.square))(float64(1, 2));
    expectTensor(value, scalar(5));
    expectTensor(gradient, float64(2, 4));
  });

  test("hands on what comes beside the loss, and does not differentiate it", () => {
    const f = (x: Tensor) => [ops.sum(x), { twice: ops.multiply(x, 2), list: [x, int32(7)] }] as const;
    const { value, gradient, extra } = valueAndGrad(f)(float64(1, 2));
    expectTensor(value, scalar(3));
    expectTensor(gradient, float64(1, 1));
    expectTensor(extra.twice, float64(2, 4));
    expectTensor(extra.list[0] as Tensor, float64(1, 2));
    expectTensor(extra.list[1] as Tensor, int32(7));
  });

  test("an array beside the loss stays an array", () => {
    const { extra } = valueAndGrad((x: Tensor) => [x, [x]] as const)(scalar(1));
    expect(extra.length).toBe(1);
    expectTensor(extra[0], scalar(1));
  });
});

describe("vjp and jvp", () => {
  const f = (x: Tensor, y: Tensor) => ({ product: ops.multiply(x, y), wave: ops.sin(ops.matmul(x, y)) });

  test("are transposes of each other: ⟨v, J u⟩ = ⟨v J, u⟩", () => {
    const square = tensorsOf("float64", [2, 2]);
    const inner = (a: Tensor, b: Tensor) => toNumber(ops.sum(ops.multiply(a, b)));
    fc.assert(
      fc.property(square, square, square, square, square, square, (x, y, u, w, v, z) => {
        const { tangent } = jvp(f, [x, y], [u, w]);
        const [xBar, yBar] = vjp(f, x, y).pullback({ product: v, wave: z });
        const forward = inner(tangent.product, v) + inner(tangent.wave, z);
        const reverse = inner(xBar, u) + inner(yBar, w);
        expect(Math.abs(forward - reverse)).toBeLessThanOrEqual(TOLERANCES.float64 * 1000);
      }),
      { numRuns: 30 },
    );
  });

  test("give the value of the function", () => {
    const [x, y] = [spread([2, 2]), spread([2, 2], -1, 1)];
    const { product } = f(x, y);
    expectTensor(vjp(f, x, y).value.product, product);
    expectTensor(jvp(f, [x, y], [x, y]).value.product, product);
  });

  test("a pullback can be used more than once", () => {
    const { pullback } = vjp((x: Tensor) => ops.square(x), float64(1, 2, 3));
    expectTensor(pullback(float64(1, 0, 0))[0], float64(2, 0, 0));
    expectTensor(pullback(float64(0, 0, 1))[0], float64(0, 0, 6));
  });

  test("differentiate through tensors captured from outside only where they are arguments", () => {
    const w = float64(3);
    expectTensor(grad((x: Tensor) => ops.sum(ops.multiply(x, w)))(float64(2)), float64(3));
  });

  test("the tangent of a result that does not depend on the arguments is zero", () => {
    const { tangent } = jvp((x: Tensor) => [ops.argmax(x), float64(1), x], [float64(1, 2)], [float64(3, 4)]);
    expectTensor(tangent[0] as Tensor, scalar(0, "int32"));
    expectTensor(tangent[1] as Tensor, float64(0));
    expectTensor(tangent[2] as Tensor, float64(3, 4));
  });
});

describe("whole numbers", () => {
  test("have no tangents: those that are given have no influence", () => {
    const f = (k: Tensor) => ops.cast(k, "float64");
    expectTensor(jvp(f, [int32(4)], [int32(1)]).tangent, float64(0));
  });

  test("may be divided in a function that is pushed forward", () => {
    const f = (x: Tensor, k: Tensor) => ops.multiply(x, ops.cast(ops.divide(k, 2), "float64"));
    expectTensor(jvp(f, [float64(3), int32(5)], [float64(1), int32(0)]).tangent, float64(2));
    expectTensor(vjp(f, float64(3), int32(5)).pullback(float64(1))[0], float64(2));
  });
});

describe("stopGradient", () => {
  test("keeps the value and is constant in both modes", () => {
    const f = (x: Tensor) => ops.multiply(x, ops.stopGradient(x));
    expectTensor(f(float64(3)), float64(9));
    expectTensor(grad(sumOf(f))(float64(3)), float64(3));
    expectTensor(jvp(f, [float64(3)], [float64(1)]).tangent, float64(3));
  });

  test("is constant to the second derivative, too", () => {
    const f = (x: Tensor) => ops.multiply(ops.square(x), ops.stopGradient(x));
    expectTensor(grad(grad(f))(scalar(5)), scalar(10));
  });
});
