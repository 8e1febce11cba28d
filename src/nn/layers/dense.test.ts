/** The fully connected layer. */

import { describe, expect, test } from "vitest";
import { expectSame, numbers } from "../../../test/close.js";
import { OptionError } from "../../core/index.js";
import { randomKey } from "../../ops/index.js";
import { linear } from "../linear.js";
import { dense } from "./dense.js";

describe("dense", () => {
  test("is W x + b with the shapes of its documentation", () => {
    const readout = dense({ inputSize: 64, outputSize: 10 }); // the example of its documentation
    expect([readout.inputSize, readout.outputSize]).toEqual([64, 10]);
    const { weight, bias } = readout.init(randomKey(1));
    expect([weight.shape, bias.shape, weight.dtype, bias.dtype]).toEqual([[10, 64], [10], "float32", "float32"]);
    const x = numbers(1, [3, 2, 64], "float32");
    const moved = { weight, bias: numbers(2, [10], "float32") };
    expectSame(readout.apply(moved, x), linear(x, weight, moved.bias));
  });

  test("starts within Glorot's limit, with biases of zero", () => {
    const { weight, bias } = dense({ inputSize: 30, outputSize: 10 }).init(randomKey(1), "float64");
    const limit = Math.sqrt(6 / 40);
    const largest = Math.max(...Array.from(weight.data, Math.abs));
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThan(0.95 * limit);
    expect(Array.from(bias.data)).toEqual(new Array(10).fill(0));
  });

  test("refuses sizes that are not whole numbers of at least 1", () => {
    expect(() => dense({ inputSize: 0, outputSize: 1 })).toThrow(OptionError);
    expect(() => dense({ inputSize: 0, outputSize: 1 })).toThrow(
      "dense: inputSize must be a whole number of at least 1, but is 0",
    );
    expect(() => dense({ inputSize: 1, outputSize: 1.5 })).toThrow(
      "dense: outputSize must be a whole number of at least 1, but is 1.5",
    );
  });

  test("names both widths when the input has another one", () => {
    const layer = dense({ inputSize: 3, outputSize: 2 });
    expect(() => layer.apply(layer.init(randomKey(1)), numbers(1, [4, 5], "float32"))).toThrow(
      "linear: float32[4,5] does not fit the weight float32[2,3]; its last axis must be 3",
    );
  });
});
