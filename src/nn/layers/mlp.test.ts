/** A multilayer perceptron. */

import { describe, expect, test } from "vitest";
import { expectSame, numbers } from "../../../test/close.js";
import { add, randomKey, tanh } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { linear } from "../linear.js";
import type { DenseParams } from "./dense.js";
import { mlp } from "./mlp.js";

describe("mlp", () => {
  test("is dense layers with a function between them", () => {
    const net = mlp({ sizes: [3, 5, 4, 2] });
    const params = net.init(randomKey(1), "float64");
    const x = numbers(1, [2, 6, 3]);
    const layer = (index: number, input: Tensor) => linear(input, params[index]!.weight, params[index]!.bias);
    expectSame(net.apply(params, x), layer(2, tanh(layer(1, tanh(layer(0, x))))));
    expect([net.inputSize, net.outputSize, params.map(({ weight }) => weight.shape)]).toEqual([
      3,
      2,
      [
        [5, 3],
        [4, 5],
        [2, 4],
      ],
    ]);
  });

  test("takes other functions, after the last layer too", () => {
    const double = (x: Tensor) => add(x, x);
    const net = mlp({ sizes: [2, 2, 2], activation: double, outputActivation: tanh });
    const params = net.init(randomKey(1), "float64");
    const x = numbers(1, [3, 2]);
    const [first, second] = params as [DenseParams, DenseParams];
    const sum = linear(double(linear(x, first.weight, first.bias)), second.weight, second.bias);
    expectSame(net.apply(params, x), tanh(sum));
  });

  test("needs two sizes", () => {
    expect(() => mlp({ sizes: [3] })).toThrow("mlp: sizes must be at least two numbers, but are [3]");
    expect(() => mlp({ sizes: [3, 0] })).toThrow("dense: outputSize must be a whole number of at least 1, but is 0");
  });
});
