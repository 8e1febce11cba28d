/** The minimal gated unit: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { randomKey, zeros } from "../../ops/index.js";
import { tensor, toNumber } from "../../tensor/index.js";
import { mgu } from "./mgu-cell.js";

runCellCases({
  name: "mgu",
  make: mgu,
  paramShapes: (i, h) => ({ weightIh: [2 * h, i], weightHh: [2 * h, h], bias: [2 * h] }),
  stateWidths: (_, h) => ({ h }),
  golden: ["mgu"],
  goldenFile: "gated",
  equations: (read, state, x, hiddenSize) => {
    const net = (block: number, k: number, h: readonly number[]): number => {
      const row = block * hiddenSize + k;
      return rowTimes(read, "weightIh", row, x) + rowTimes(read, "weightHh", row, h) + read("bias", row);
    };
    const f = state.h!.map((_, k) => sigma(net(0, k, state.h!)));
    const forgotten = state.h!.map((old, k) => f[k]! * old);
    const h = state.h!.map((old, k) => (1 - f[k]!) * old + f[k]! * Math.tanh(net(1, k, forgotten)));
    return { state: { h }, y: h };
  },
});

describe("mgu", () => {
  test("starts with biases of zero", () => {
    expect(Array.from(mgu({ inputSize: 8, hiddenSize: 2 }).init(randomKey(0)).bias.data)).toEqual([0, 0, 0, 0]);
  });

  test("keeps the old state where f is 0, and takes the new one where f is 1", () => {
    const cell = mgu({ inputSize: 1, hiddenSize: 1 });
    const step = (f: number): number => {
      const params = { weightIh: zeros([2, 1]), weightHh: tensor([[0], [2]]), bias: tensor([f, 1]) };
      return toNumber(cell.step(params, { h: tensor([[0.5]]) }, zeros([1, 1]))[1]);
    };
    expect(step(-200)).toBe(0.5);
    expect(step(200)).toBeCloseTo(Math.tanh(2), 6);
  });
});
