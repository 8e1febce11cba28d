/** The Elman cell with skip connections through time: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, numbers } from "../../../test/close.js";
import { runCellCases } from "../../../test/contracts/cell.cases.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError } from "../../core/index.js";
import { at, fill, randomKey, sum, zeros } from "../../ops/index.js";
import { mapTensors, type Tensor } from "../../tensor/index.js";
import { grad, jvp } from "../../transforms/index.js";
import { recurrent } from "../recurrent/recurrent.js";
import { elman } from "./elman-cell.js";
import { skipElman } from "./skip-elman-cell.js";

const DELAYS = [1, 3];

runCellCases({
  name: "skipElman",
  make: (sizes) => skipElman({ ...sizes, delays: DELAYS }),
  options: ["inputSize", "hiddenSize", "delays"],
  paramShapes: (i, h) => ({ weightIh: [h, i], weightHh: [h, 2 * h], bias: [h] }),
  stateWidths: (_, h) => ({ past: 3 * h }),
  orthogonalStart: false,
  golden: ["skipElman"],
  goldenFile: "linear",
  equations: (read, state, x, hiddenSize) => {
    const past = state.past!;
    const h = Array.from({ length: hiddenSize }, (_, k) => {
      let total = read("bias", k);
      x.forEach((value, j) => {
        total += read("weightIh", k, j) * value;
      });
      DELAYS.forEach((delay, block) => {
        for (let j = 0; j < hiddenSize; j++) {
          total += read("weightHh", k, block * hiddenSize + j) * past[(delay - 1) * hiddenSize + j]!;
        }
      });
      return Math.tanh(total);
    });
    return { state: { past: [...h, ...past.slice(0, 2 * hiddenSize)] }, y: h };
  },
});

describe("skipElman", () => {
  const sizes = { inputSize: 2, hiddenSize: 3 };

  test("starts with orthonormal rows of recurrent weights, over all delays together", () => {
    const { weightHh, bias } = skipElman({ ...sizes, delays: [2, 5] }).init(randomKey(1), "float64");
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 3; b++) {
        let product = 0;
        for (let j = 0; j < 6; j++) product += weightHh.data[a * 6 + j]! * weightHh.data[b * 6 + j]!;
        expect(Math.abs(product - (a === b ? 1 : 0))).toBeLessThan(TOLERANCES.float64);
      }
    }
    expectSame(bias, zeros([3], "float64"));
  });

  test("is elman with a delay of 1 alone", () => {
    const [skipping, plain] = [skipElman({ ...sizes, delays: [1] }), elman(sizes)];
    const [params, xs, h] = [plain.init(randomKey(1), "float64"), numbers(1, [6, 4, 2]), numbers(2, [4, 3])];
    const expected = recurrent(plain).apply(params, xs, { carry: { h } });
    const found = recurrent(skipping).apply(params, xs, { carry: { past: h } });
    expectClose([found.outputs, found.carry.past], [expected.outputs, expected.carry.h], TOLERANCES.float64);
  });

  test("without 1 among its delays, has no connection of length one: the state two steps ago matters, the last does not", () => {
    const cell = skipElman({ ...sizes, delays: [2, 5] });
    const params = mapTensors((leaf) => numbers(3, leaf.shape), cell.init(randomKey(1), "float64"));
    // How the output moves with the state of each earlier step alone.
    const moved = (stepsAgo: number): number => {
      const direction = Float64Array.from({ length: 15 }, (_, k) => (Math.floor(k / 3) === stepsAgo - 1 ? 1 : 0));
      const output = (past: Tensor) => cell.step(params, { past }, numbers(4, [1, 2]))[1];
      const { tangent } = jvp(output, [numbers(5, [1, 15])], [f64(Array.from(direction), [1, 15])]);
      return Math.hypot(...tangent.data);
    };
    expect([1, 2, 3, 4, 5].map((stepsAgo) => moved(stepsAgo) > 0)).toEqual([false, true, false, false, true]);
    expect([moved(1), moved(3), moved(4)]).toEqual([0, 0, 0]);
  });

  test.each([1, 4, 10])("passes a gradient over T steps through T / d units, for d = %i", (delay) => {
    const [steps, weight, input] = [40, 0.9, 0.3];
    const layer = recurrent(skipElman({ inputSize: 1, hiddenSize: 1, delays: [delay] }));
    const params = { weightIh: f64([1], [1, 1]), weightHh: f64([weight], [1, 1]), bias: f64([0]) };
    const xs = fill([steps, 1, 1], input, "float64");
    // The way of the newest state in the carry to the output T steps later: one factor for each unit that it passes.
    let [h, expected, passed] = [0, 1, 0];
    for (let t = delay - 1; t < steps; t += delay) {
      h = Math.tanh(input + weight * h);
      expected *= weight * (1 - h * h);
      passed++;
    }
    expect(passed).toBe(steps / delay);
    const lastOf = (time: number) => (past: Tensor) => {
      const { outputs } = layer.apply(params, xs, { carry: { past } });
      return sum(at(outputs, time));
    };
    const start = zeros([1, delay], "float64");
    expectClose(at(grad(lastOf(steps - 1))(start), 0, 1), f64([expected]), 1e-14);
    if (delay > 1) expect(grad(lastOf(steps - 2))(start).data[0]).toBe(0);
  });

  test("refuses delays that are none", () => {
    const make = (delays: readonly number[]) => () => skipElman({ ...sizes, delays });
    expect(make([])).toThrow(OptionError);
    expect(make([])).toThrow("skipElman: delays is empty; give at least one");
    expect(make([1, 0])).toThrow("skipElman: each of delays must be a whole number of at least 1, but is 0");
    expect(make([3, 3])).toThrow("skipElman: delays names one twice, [3,3]");
  });
});
