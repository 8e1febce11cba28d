/** Masks inside a step: what sees the carry masked, and what sees it whole. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { add, multiply, slice, split, tanh, transpose, zeros } from "../../ops/index.js";
import { scan } from "../../scan/index.js";
import type { Tensor } from "../../tensor/index.js";
import { linear } from "../linear.js";
import { standardize } from "../standardize.js";
import { maskedStep } from "./masked-step.js";

const [u, v] = [numbers(1, [4, 4]), numbers(2, [4, 4])];
const h = numbers(3, [2, 4]);
const mask = numbers(4, [2, 4]);
const seen = multiply(h, mask);

const products = (step: (h: Tensor) => Tensor) =>
  maskedStep((state: Tensor) => [step(state), state], h, { products: { "": mask } });

describe("a mask of the products", () => {
  test("is seen by a product through elementwise work, and by nothing else", () => {
    const { carry, y } = products((state) => add(multiply(tanh(state), state), linear(tanh(state), u)));
    expectSame(carry, add(multiply(tanh(h), h), linear(tanh(seen), u)));
    expectSame(y, h);
  });

  test("is not seen twice: a product of a product sees what the first one made", () => {
    const { carry } = products((state) => linear(tanh(linear(state, u)), v));
    expectSame(carry, linear(tanh(linear(seen, u)), v));
  });

  test("is seen along a path around the first product", () => {
    const { carry } = products((state) => linear(add(state, linear(state, u)), v));
    expectSame(carry, linear(add(seen, linear(seen, u)), v));
  });

  test("goes through operations with several results, gradients of their own, and both operands", () => {
    const split_ = products((state) => linear(split(state, 2)[1]!, slice(u, 1, 0, 2)));
    expectSame(split_.carry, linear(split(seen, 2)[1]!, slice(u, 1, 0, 2)));
    const custom = products((state) => linear(standardize(state), u));
    expectClose(custom.carry, linear(standardize(seen), u), TOLERANCES.float64);
    const both = products((state) => linear(linear(state, state), transpose(state)));
    expectSame(both.carry, linear(linear(seen, seen), transpose(seen)));
  });

  test("is seen by a loop inside the step, if there is a product in it", () => {
    const inner = (state: Tensor) => scan((s: Tensor) => [tanh(linear(s, u)), {}], state, {}, { length: 3 })[0];
    expectSame(products(inner).carry, inner(seen));
    const adding = (state: Tensor) => scan((s: Tensor) => [tanh(add(s, state)), {}], state, {}, { length: 3 })[0];
    expectSame(products(adding).carry, adding(h));
  });

  test("that meets no product is told", () => {
    expect(products((state) => linear(state, u)).masksProducts).toBe(true);
    expect(products((state) => add(state, linear(zeros([2, 4], "float64"), u))).masksProducts).toBe(false);
  });
});

describe("a mask of the carry", () => {
  test("acts where the part is made, and is seen by what is computed from it", () => {
    const start = { c: numbers(5, [2, 4]), h };
    const { carry, y } = maskedStep(
      (state: typeof start) => {
        const c = add(state.c, linear(state.h, u));
        return [{ c, h: tanh(c) }, tanh(c)];
      },
      start,
      { carry: { c: mask } },
    );
    const c = multiply(add(start.c, linear(h, u)), mask);
    expectSame({ carry, y }, { carry: { c, h: tanh(c) }, y: tanh(c) });
  });
});
