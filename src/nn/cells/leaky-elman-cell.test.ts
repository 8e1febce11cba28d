/** The Elman cell with leaky units: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, numbers } from "../../../test/close.js";
import { rowTimes, runCellCases } from "../../../test/contracts/cell.cases.js";
import { fill, randomKey, zeros } from "../../ops/index.js";
import { recurrent } from "../recurrent/recurrent.js";
import { elman } from "./elman-cell.js";
import { leakyElman } from "./leaky-elman-cell.js";

const LEAK = 0.3;

runCellCases({
  name: "leakyElman",
  make: (sizes) => leakyElman({ ...sizes, leakRate: LEAK }),
  options: ["inputSize", "hiddenSize", "leakRate"],
  paramShapes: (i, h) => ({ weightIh: [h, i], weightHh: [h, h], bias: [h] }),
  stateWidths: (_, h) => ({ h }),
  golden: ["leakyElman"],
  goldenFile: "linear",
  equations: (read, state, x, hiddenSize) => {
    const h = Array.from({ length: hiddenSize }, (_, k) => {
      const total = rowTimes(read, "weightIh", k, x) + rowTimes(read, "weightHh", k, state.h!) + read("bias", k);
      return (1 - LEAK) * state.h![k]! + LEAK * Math.tanh(total);
    });
    return { state: { h }, y: h };
  },
});

describe("leakyElman", () => {
  const sizes = { inputSize: 3, hiddenSize: 4 };

  test("is elman at a leak rate of 1, with the same start", () => {
    const [leaky, plain] = [leakyElman({ ...sizes, leakRate: 1 }), elman(sizes)];
    const params = leaky.init(randomKey(1), "float64");
    expectSame(params, plain.init(randomKey(1), "float64"));
    const [xs, carry] = [numbers(1, [5, 2, 3]), { h: numbers(2, [2, 4]) }];
    expectSame(recurrent(leaky).apply(params, xs, { carry }), recurrent(plain).apply(params, xs, { carry }));
  });

  test("follows a step of its input with a time constant of -1 / ln(1 - α) steps", () => {
    const [alpha, steps] = [0.05, 60];
    const layer = recurrent(leakyElman({ inputSize: 1, hiddenSize: 1, leakRate: alpha }));
    const params = { weightIh: f64([1], [1, 1]), weightHh: zeros([1, 1], "float64"), bias: zeros([1], "float64") };
    const { outputs } = layer.apply(params, fill([steps, 1, 1], 0.5, "float64"));
    const timeConstant = -1 / Math.log(1 - alpha);
    const response = Array.from({ length: steps }, (_, t) => Math.tanh(0.5) * (1 - Math.exp(-(t + 1) / timeConstant)));
    expectClose(outputs, f64(response, [steps, 1, 1]), 1e-12);
  });

  test("refuses leak rates outside (0, 1]", () => {
    for (const leakRate of [0, -0.1, 1.1, Number.NaN]) {
      expect(() => leakyElman({ ...sizes, leakRate })).toThrow(
        `leakyElman: leakRate must be a number greater than 0 and at most 1, but is ${leakRate}`,
      );
    }
  });
});
