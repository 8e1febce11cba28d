/** Batch normalisation: statistics over time and batch, with padding, and the running ones. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { add, multiply, randomKey, select, slice, sum, zeros } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import type { Tensor } from "../../tensor/index.js";
import { checkGradients, grad } from "../../transforms/index.js";
import { batchNorm } from "./batch-norm.js";

const norm = batchNorm({ inputSize: 2, momentum: 0.75, epsilon: 0.01 });
const params = { gain: numbers(2, [2]), bias: numbers(3, [2]) };
const state = { mean: numbers(4, [2]), variance: add(numbers(5, [2]), 2) };
const x = numbers(1, [3, 4, 2]);
const REAL = [1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0];
const mask = int32(REAL, [3, 4]);

/** Statistics of feature k over rows that are real, in plain loops. */
function statisticsByHand(real: readonly number[], k: number): { mean: number; variance: number; count: number } {
  const values = real.flatMap((one, row) => (one === 1 ? [x.data[2 * row + k]!] : []));
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return {
    mean,
    variance: values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length,
    count: values.length,
  };
}

describe("batchNorm in training", () => {
  test.each([
    ["all rows", new Array<number>(12).fill(1), {}],
    ["the real rows", REAL, { mask }],
  ])("normalises each feature over %s, and moves the running statistics", (_, real, options) => {
    const { y, state: next } = norm.apply(params, state, x, { training: true, ...options });
    for (const k of [0, 1]) {
      const { mean, variance, count } = statisticsByHand(real, k);
      real.forEach((one, row) => {
        const normalized = (x.data[2 * row + k]! - mean) / Math.sqrt(variance + 0.01);
        const expected = one === 1 ? params.gain.data[k]! * normalized + params.bias.data[k]! : 0;
        expect(Math.abs(y.data[2 * row + k]! - expected)).toBeLessThan(TOLERANCES.float64);
      });
      const kept = (old: Tensor, now: number): number => 0.75 * old.data[k]! + 0.25 * now;
      expect(next.mean.data[k]).toBeCloseTo(kept(state.mean, mean), 12);
      expect(next.variance.data[k]).toBeCloseTo(kept(state.variance, (variance * count) / (count - 1)), 12);
    }
  });

  test("is not influenced by padding, NaN included, in its gradients too", () => {
    const wide = int32(
      REAL.flatMap((real) => [real, real]),
      [3, 4, 2],
    );
    const dirty = select(wide, x, Number.NaN);
    const run = (values: Tensor) => norm.apply(params, state, values, { training: true, mask });
    expectSame(run(dirty), run(x));
    const gradientAt = (values: Tensor) =>
      grad((at: Tensor) => sum(multiply(run(at).y, numbers(6, [3, 4, 2]))))(values);
    expectSame(gradientAt(dirty), gradientAt(x));
  });

  test("has gradients that agree with differences, through the statistics", () => {
    for (const options of [{}, { mask }]) {
      const { maxError } = checkGradients(
        (p, values) => norm.apply(p, state, values, { training: true, ...options }).y,
        [params, x],
      );
      expect(maxError).toBeLessThan(TOLERANCES.gradient);
    }
  });

  test("gives no gradient through the running statistics", () => {
    const gradient = grad((values: Tensor) => sum(norm.apply(params, state, values, { training: true }).state.mean))(x);
    expectSame(gradient, zeros([3, 4, 2], "float64"));
  });

  test("moves nothing without a real row, and gives zeros", () => {
    const result = norm.apply(params, state, x, { training: true, mask: zeros([3, 4], "int32") });
    expectSame(result, { y: zeros([3, 4, 2], "float64"), state });
  });

  test("gives the same compiled", () => {
    const run = (values: Tensor) => norm.apply(params, state, values, { training: true, mask });
    expectClose(compile(run)(x), run(x), TOLERANCES.float64);
  });
});

describe("batchNorm in use", () => {
  test("normalises by the running statistics and leaves them alone", () => {
    const { y, state: next } = norm.apply(params, state, x, { training: false });
    expect(next).toBe(state);
    x.data.forEach((value, index) => {
      const k = index % 2;
      const scale = params.gain.data[k]! / Math.sqrt(state.variance.data[k]! + 0.01);
      expect(y.data[index]).toBeCloseTo((value - state.mean.data[k]!) * scale + params.bias.data[k]!, 12);
    });
  });

  test("maps each row on its own", () => {
    const run = (values: Tensor) => norm.apply(params, state, values, { training: false }).y;
    expectSame(run(slice(x, 0, 0, 1)), slice(run(x), 0, 0, 1));
  });

  test("starts with gain 1, bias 0, mean 0 and variance 1", () => {
    expectSame(norm.init(randomKey(1)), { gain: add(zeros([2]), 1), bias: zeros([2]) });
    expectSame(norm.initialState("float64"), { mean: zeros([2], "float64"), variance: add(zeros([2], "float64"), 1) });
  });
});

test("batchNorm says what is wrong", () => {
  expect(() => norm.apply(params, state, numbers(1, [3, 4]), { training: true })).toThrow(
    "batchNorm: needs float [..., 2], but was given float64[3,4]",
  );
  expect(() => norm.apply(params, state, x, { training: true, mask: zeros([3], "int32") })).toThrow(
    "batchNorm: the mask must be int32[3,4], but is int32[3]",
  );
  expect(() => batchNorm({ inputSize: 2, momentum: 1 })).toThrow("batchNorm: momentum must be a number at least 0");
  const unknown: object = { inputSize: 2, decay: 1 };
  expect(() => batchNorm(unknown as never)).toThrow('batchNorm: there is no option "decay"');
});
