/** The IndRNN cell: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, numbers } from "../../../test/close.js";
import { rowTimes, runCellCases } from "../../../test/contracts/cell.cases.js";
import { OptionError } from "../../core/index.js";
import { randomKey, sum, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { grad } from "../../transforms/index.js";
import { recurrent } from "../recurrent/recurrent.js";
import { boundRecurrentWeights, indrnn } from "./indrnn-cell.js";

runCellCases({
  name: "indrnn",
  make: indrnn,
  options: ["inputSize", "hiddenSize", "maxRecurrentWeight"],
  paramShapes: (i, h) => ({ weightIh: [h, i], weightHh: [h], bias: [h] }),
  stateWidths: (_, h) => ({ h }),
  orthogonalStart: false,
  golden: ["indrnn"],
  goldenFile: "linear",
  equations: (read, state, x, hiddenSize) => {
    const h = Array.from({ length: hiddenSize }, (_, k) =>
      Math.max(rowTimes(read, "weightIh", k, x) + read("weightHh", k) * state.h![k]! + read("bias", k), 0),
    );
    return { state: { h }, y: h };
  },
});

describe("indrnn", () => {
  test("starts with recurrent weights over the whole of [0, maxRecurrentWeight], input weights by Glorot's rule, biases of 0", () => {
    for (const maxRecurrentWeight of [1, 1.5]) {
      const cell = indrnn({ inputSize: 3, hiddenSize: 400, ...(maxRecurrentWeight !== 1 && { maxRecurrentWeight }) });
      const { weightIh, weightHh, bias } = cell.init(randomKey(1));
      expect(Math.min(...weightHh.data)).toBeGreaterThanOrEqual(0);
      expect(Math.min(...weightHh.data)).toBeLessThan(0.02 * maxRecurrentWeight);
      expect(Math.max(...weightHh.data)).toBeLessThanOrEqual(maxRecurrentWeight);
      expect(Math.max(...weightHh.data)).toBeGreaterThan(0.98 * maxRecurrentWeight);
      const limit = Math.sqrt(6 / 403);
      expect(Math.max(...Array.from(weightIh.data, Math.abs))).toBeLessThanOrEqual(limit);
      expect(Math.max(...Array.from(weightIh.data, Math.abs))).toBeGreaterThan(0.98 * limit);
      expectSame(bias, zeros([400]));
    }
    expect(() => indrnn({ inputSize: 1, hiddenSize: 1, maxRecurrentWeight: 0 })).toThrow(
      "indrnn: maxRecurrentWeight must be a number greater than 0, but is 0",
    );
  });

  test("passes on a gradient that grows by the recurrent weight at each step: by γ in T steps for γ^(1/T)", () => {
    const steps = 300;
    const layer = recurrent(indrnn({ inputSize: 1, hiddenSize: 2 }));
    const params = { weightIh: zeros([2, 1], "float64"), weightHh: f64([2 ** (1 / steps), 0.9]), bias: f64([0, 0]) };
    const last = (h: Tensor) => sum(layer.apply(params, zeros([steps, 1, 1], "float64"), { carry: { h } }).carry.h);
    expectClose(grad(last)(f64([0.5, 0.5], [1, 2])), f64([2, 0.9 ** steps], [1, 2]), 1e-12);
  });
});

describe("boundRecurrentWeights", () => {
  const params = { weightIh: numbers(1, [4, 2]), weightHh: f64([-3, -0.5, 1.01, 0.2]), bias: numbers(2, [4]) };

  test("holds recurrent weights in [-maximum, maximum], and leaves the rest as it is", () => {
    expectSame(boundRecurrentWeights(params, 1), { ...params, weightHh: f64([-1, -0.5, 1, 0.2]) });
  });

  test("refuses a maximum that is not positive", () => {
    expect(() => boundRecurrentWeights(params, 0)).toThrow(OptionError);
    expect(() => boundRecurrentWeights(params, 0)).toThrow(
      "boundRecurrentWeights: maximum must be a number greater than 0, but is 0",
    );
  });
});
