/** The linear map. */

import { describe, expect, test } from "vitest";
import { expectClose, f64, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { ShapeError } from "../core/index.js";
import { zeros } from "../ops/index.js";
import { checkGradients } from "../transforms/index.js";
import { linear } from "./index.js";

describe("linear", () => {
  const [x, weight, bias] = [numbers(1, [2, 3, 4]), numbers(2, [5, 4]), numbers(3, [5])];

  test("is W x + b for each row, over any leading axes", () => {
    const withBias: number[] = [];
    const without: number[] = [];
    for (let row = 0; row < 6; row++) {
      for (let out = 0; out < 5; out++) {
        let total = 0;
        for (let k = 0; k < 4; k++) total += weight.data[4 * out + k]! * x.data[4 * row + k]!;
        without.push(total);
        withBias.push(total + bias.data[out]!);
      }
    }
    expectClose(linear(x, weight, bias), f64(withBias, [2, 3, 5]), TOLERANCES.float64);
    expectClose(linear(x, weight), f64(without, [2, 3, 5]), TOLERANCES.float64);
  });

  test("has gradients that agree with differences", () => {
    expect(checkGradients(linear, [x, weight, bias]).maxError).toBeLessThan(TOLERANCES.gradient);
  });

  test("names both types when the input does not fit", () => {
    expect(() => linear(zeros([2, 3]), zeros([5, 4]))).toThrow(ShapeError);
    expect(() => linear(zeros([2, 3]), zeros([5, 4]))).toThrow(
      "linear: float32[2,3] does not fit the weight float32[5,4]; its last axis must be 4",
    );
  });

  test("refuses a weight that is no matrix", () => {
    expect(() => linear(zeros([2, 3]), zeros([3]))).toThrow(
      "linear: the weight must be [outputSize, inputSize], but is float32[3]",
    );
  });
});
