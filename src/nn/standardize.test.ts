import { describe, expect, test } from "vitest";
import { expectClose, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { OptionError } from "../core/index.js";
import { add, divide, mean, multiply, sqrt, square, subtract, sum } from "../ops/index.js";
import { type Tensor, tensor, toNested } from "../tensor/index.js";
import { checkGradients, grad } from "../transforms/index.js";
import { standardize } from "./index.js";

/** The equation, derived operation by operation. */
const composed = (x: Tensor, epsilon: number): Tensor => {
  const centred = subtract(x, mean(x, { axes: -1, keepAxes: true }));
  return divide(centred, sqrt(add(mean(square(centred), { axes: -1, keepAxes: true }), epsilon)));
};

test("of known numbers", () => {
  const y = standardize(tensor([[1, 2, 3, 4]], { dtype: "float64" }), { epsilon: 1e-300 });
  const s = Math.sqrt(1.25);
  expectClose(y, tensor([[-1.5 / s, -0.5 / s, 0.5 / s, 1.5 / s]], { dtype: "float64" }), TOLERANCES.float64);
});

describe.each([[[5]], [[3, 7]], [[2, 3, 4]], [[4, 1]]])("of shape %j", (shape) => {
  const x = numbers(7, shape);
  const weights = numbers(8, shape);
  const loss = (f: (input: Tensor) => Tensor) => (input: Tensor) => sum(multiply(f(input), weights));

  test.each([1e-5, 0.1])("and its gradient are those of the equation, epsilon %f", (epsilon) => {
    expectClose(standardize(x, { epsilon }), composed(x, epsilon), TOLERANCES.float64);
    const own = grad(loss((input) => standardize(input, { epsilon })))(x);
    expectClose(own, grad(loss((input) => composed(input, epsilon)))(x), 1e-10);
  });

  test("has the derivatives of finite differences, of second order too", () => {
    if (shape.at(-1) === 1) return; // all zero
    expect(
      checkGradients(
        loss((input) => standardize(input, { epsilon: 0.1 })),
        [x],
      ).maxError,
    ).toBeLessThan(TOLERANCES.gradient);
  });
});

test("of equal numbers is zero, and so is its gradient", () => {
  const x = tensor([[3, 3, 3]], { dtype: "float64" });
  expect(toNested(standardize(x))).toEqual([[0, 0, 0]]);
  expectClose(grad((input: Tensor) => sum(standardize(input)))(x), tensor([[0, 0, 0]], { dtype: "float64" }), 1e-12);
});

test("an epsilon that is not above 0 is an error", () => {
  expect(() => standardize(numbers(1, [3]), { epsilon: 0 })).toThrow(OptionError);
});
