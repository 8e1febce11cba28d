/** The clockwork network: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectSame, int32, numbers } from "../../../test/close.js";
import { runCellCases } from "../../../test/contracts/cell.cases.js";
import { runGoldenCase } from "../../../test/golden.js";
import { OptionError } from "../../core/index.js";
import { at, randomKey, sum } from "../../ops/index.js";
import { mapTensors, type Tensor, toNested } from "../../tensor/index.js";
import { grad } from "../../transforms/index.js";
import { type RecurrentOptions, recurrent } from "../recurrent/recurrent.js";
import { clockwork } from "./clockwork-cell.js";
import type { ElmanParams } from "./elman-cell.js";

// Modules of one unit, with periods 1, 2, 3, ...
runCellCases({
  name: "clockwork",
  make: (sizes) => clockwork({ ...sizes, periods: Array.from({ length: sizes.hiddenSize || 1 }, (_, k) => k + 1) }),
  options: ["inputSize", "hiddenSize", "periods"],
  paramShapes: (i, h) => ({ weightIh: [h, i], weightHh: [h, h], bias: [h] }),
  stateWidths: (_, h) => ({ h, clock: h }),
  counters: ["clock"],
  golden: [],
  equations: (read, state, x, hiddenSize) => {
    const clock = state.clock!;
    const h = Array.from({ length: hiddenSize }, (_, k) => {
      if (clock[k] !== 0) return state.h![k]!;
      let total = read("bias", k);
      x.forEach((value, j) => {
        total += read("weightIh", k, j) * value;
      });
      for (let j = k; j < hiddenSize; j++) total += read("weightHh", k, j) * state.h![j]!;
      return Math.tanh(total);
    });
    return { state: { h, clock: clock.map((count, k) => (count + 1 >= k + 1 ? 0 : count + 1)) }, y: h };
  },
});

const golden = recurrent(clockwork({ inputSize: 4, hiddenSize: 3, periods: [1, 2, 3] }));
runGoldenCase(
  "clockwork",
  {
    ...golden,
    // The golden case has no clocks in its carry: its t begins at 0.
    apply: (params: ElmanParams, xs: Tensor, options: RecurrentOptions<{ readonly h: Tensor }>) => {
      const { clock } = golden.initialCarry(xs.shape[1] as number);
      const { outputs, carry } = golden.apply(params, xs, { carry: { h: options.carry!.h, clock } });
      return { outputs, carry: { h: carry.h } };
    },
  },
  "linear",
);

describe("clockwork", () => {
  const cell = clockwork({ inputSize: 2, hiddenSize: 6, periods: [1, 2, 4] });
  const params = mapTensors((leaf) => numbers(leaf.shape.length, leaf.shape), cell.init(randomKey(1), "float64"));
  const layer = recurrent(cell);

  test("moves a module of two units exactly at the multiples of its period, counted from the start of the sequence", () => {
    const { outputs } = layer.apply(params, numbers(1, [9, 1, 2]));
    const changedAt = (unit: number): number[] => {
      const values = Array.from({ length: 9 }, (_, t) => outputs.data[t * 6 + unit]!);
      return values.flatMap((value, t) => (value !== (t === 0 ? 0 : values[t - 1]) ? [t] : []));
    };
    const everyStep = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    expect([0, 1].map(changedAt)).toEqual([everyStep, everyStep]);
    expect([2, 3].map(changedAt)).toEqual([
      [0, 2, 4, 6, 8],
      [0, 2, 4, 6, 8],
    ]);
    expect([4, 5].map(changedAt)).toEqual([
      [0, 4, 8],
      [0, 4, 8],
    ]);
  });

  test("reads no connection from a faster module to a slower one", () => {
    const loss = (p: ElmanParams) => sum(layer.apply(p, numbers(2, [6, 3, 2])).outputs);
    const { weightHh } = grad(loss)(params);
    const isRead = (toNested(weightHh) as number[][]).map((row) => row.map((slope) => (slope === 0 ? 0 : 1)));
    expect(isRead).toEqual([
      [1, 1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1, 1],
      [0, 0, 1, 1, 1, 1],
      [0, 0, 1, 1, 1, 1],
      [0, 0, 0, 0, 1, 1],
      [0, 0, 0, 0, 1, 1],
    ]);
  });

  test("starts the clocks of a row again where a new sequence begins in it", () => {
    const xs = numbers(3, [7, 1, 2]);
    const resetMask = int32([0, 0, 0, 1, 0, 0, 0], [7, 1]);
    const { carry } = layer.apply(params, xs, { resetMask });
    expectSame(carry.clock, int32([0, 0, 0], [1, 3]));
    const unbroken = layer.apply(params, xs).carry;
    expectSame(unbroken.clock, int32([0, 1, 3], [1, 3]));
  });

  test("counts its steps in whole numbers that never grow beyond the period", () => {
    let carry = cell.initialCarry(1, "float64");
    const seen: number[][] = [];
    for (let t = 0; t < 5; t++) {
      [carry] = cell.step(params, carry, at(numbers(4, [5, 1, 2]), t));
      seen.push([...carry.clock.data]);
    }
    expect(seen).toEqual([
      [0, 1, 1],
      [0, 0, 2],
      [0, 1, 3],
      [0, 0, 0],
      [0, 1, 1],
    ]);
  });

  test("has four modules, of periods 1, 2, 4 and 8, unless told otherwise", () => {
    expect(clockwork({ inputSize: 2, hiddenSize: 8 }).initialCarry(3).clock.shape).toEqual([3, 4]);
    expect(() => clockwork({ inputSize: 2, hiddenSize: 6 })).toThrow(
      "clockwork: hiddenSize must be a multiple of the number of periods, 4, but is 6",
    );
  });

  test("refuses periods that are none", () => {
    const make = (periods: readonly number[]) => () => clockwork({ inputSize: 2, hiddenSize: 6, periods });
    expect(make([])).toThrow(OptionError);
    expect(make([])).toThrow("clockwork: periods is empty; give at least one");
    expect(make([1, 1.5])).toThrow("clockwork: each of periods must be a whole number of at least 1, but is 1.5");
    expect(make([2, 2])).toThrow("clockwork: periods must rise, but are [2,2]");
  });
});
