/** Layer normalisation with a gain and a bias. */

import { describe, expect, test } from "vitest";
import { expectClose, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { multiply, randomKey } from "../../ops/index.js";
import { checkGradients } from "../../transforms/index.js";
import { standardize } from "../standardize.js";
import { layerNorm } from "./layer-norm.js";

describe("layerNorm", () => {
  const norm = layerNorm({ inputSize: 4, epsilon: 0.01 });
  const x = numbers(1, [3, 2, 4]);

  test("equals its equation written out", () => {
    const params = { gain: numbers(2, [4]), bias: numbers(3, [4]) };
    const y = norm.apply(params, x);
    for (let row = 0; row < 6; row++) {
      const values = Array.from(x.data.subarray(4 * row, 4 * row + 4));
      const mean = values.reduce((a, b) => a + b, 0) / 4;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / 4;
      values.forEach((value, k) => {
        const expected = (params.gain.data[k]! * (value - mean)) / Math.sqrt(variance + 0.01) + params.bias.data[k]!;
        expect(Math.abs(y.data[4 * row + k]! - expected)).toBeLessThan(TOLERANCES.float64);
      });
    }
  });

  test("starts as plain standardization", () => {
    expectClose(norm.apply(norm.init(randomKey(1), "float64"), x), standardize(x, { epsilon: 0.01 }), 0);
  });

  test("does not see the scale of its inputs, up to epsilon", () => {
    const fine = layerNorm({ inputSize: 4, epsilon: 1e-12 });
    const params = fine.init(randomKey(1), "float64");
    expectClose(fine.apply(params, multiply(x, 1000)), fine.apply(params, x), 1e-9);
  });

  test("has gradients that agree with differences", () => {
    const { maxError } = checkGradients(norm.apply, [{ gain: numbers(2, [4]), bias: numbers(3, [4]) }, x]);
    expect(maxError).toBeLessThan(TOLERANCES.gradient);
  });

  test("says what is wrong", () => {
    expect(() => norm.apply(norm.init(randomKey(1)), numbers(1, [3]))).toThrow(
      "layerNorm: needs [..., 4], but was given float64[3]",
    );
    expect(() => layerNorm({ inputSize: 4, epsilon: 0 })).toThrow("layerNorm: epsilon must be a number greater than 0");
  });
});
