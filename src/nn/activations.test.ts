/** Softmax and its logarithm. */

import { describe, expect, test } from "vitest";
import { expectClose, f64, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { exp, sum } from "../ops/index.js";
import { checkGradients } from "../transforms/index.js";
import { logSoftmax, softmax } from "./index.js";

describe("softmax", () => {
  test("equals exp(x) / sum exp(x), row by row", () => {
    const x = numbers(1, [3, 4]);
    const expected = Array.from({ length: 12 }, (_, k) => {
      const row = Math.floor(k / 4) * 4;
      let total = 0;
      for (let j = 0; j < 4; j++) total += Math.exp(x.data[row + j]!);
      return Math.exp(x.data[k]!) / total;
    });
    expectClose(softmax(x), f64(expected, [3, 4]), TOLERANCES.float64);
    expectClose(exp(logSoftmax(x)), f64(expected, [3, 4]), TOLERANCES.float64);
  });

  test.each([0, 1, -1])("sums to 1 along axis %i", (axis) => {
    const sums = sum(softmax(numbers(1, [3, 4]), axis), { axes: axis });
    expectClose(sums, f64(new Array<number>(sums.shape[0]!).fill(1)), TOLERANCES.float64);
  });

  test("does not change when a number is added to all, and is finite for large ones", () => {
    expectClose(softmax(f64([1e4, 1e4 + 1])), softmax(f64([0, 1])), TOLERANCES.float64);
    expectClose(softmax(f64([-1e4, 1e4])), f64([0, 1]), 0);
    expect(Array.from(logSoftmax(f64([-1e4, 1e4])).data)).toEqual([-2e4, 0]);
  });

  test("has gradients that agree with differences", () => {
    const { maxError } = checkGradients((x) => [softmax(x, 0), logSoftmax(x)], [numbers(1, [3, 4])]);
    expect(maxError).toBeLessThan(TOLERANCES.gradient);
  });
});
