/** The GRU cell: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { randomKey, zeros } from "../../ops/index.js";
import { tensor, toNumber } from "../../tensor/index.js";
import { gru } from "./gru-cell.js";

runCellCases({
  name: "gru",
  make: gru,
  options: ["inputSize", "hiddenSize", "updateDropout"],
  paramShapes: (i, h) => ({ weightIh: [3 * h, i], weightHh: [3 * h, h], biasIh: [3 * h], biasHh: [3 * h] }),
  stateWidths: (_, h) => ({ h }),
  golden: ["gru"],
  equations: (read, state, x, hiddenSize) => {
    const ofInput = (block: number, k: number): number =>
      rowTimes(read, "weightIh", block * hiddenSize + k, x) + read("biasIh", block * hiddenSize + k);
    const ofState = (block: number, k: number): number =>
      rowTimes(read, "weightHh", block * hiddenSize + k, state.h!) + read("biasHh", block * hiddenSize + k);
    const h = Array.from({ length: hiddenSize }, (_, k) => {
      const r = sigma(ofInput(0, k) + ofState(0, k));
      const z = sigma(ofInput(1, k) + ofState(1, k));
      const n = Math.tanh(ofInput(2, k) + r * ofState(2, k));
      return (1 - z) * n + z * state.h![k]!;
    });
    return { state: { h }, y: h };
  },
});

describe("gru", () => {
  test("starts with biases of zero", () => {
    const { biasIh, biasHh } = gru({ inputSize: 8, hiddenSize: 2 }).init(randomKey(0));
    expect([...biasIh.data, ...biasHh.data]).toEqual(new Array(12).fill(0));
  });

  test("keeps the old state where z is 1: h' = (1 - z) n + z h", () => {
    const cell = gru({ inputSize: 1, hiddenSize: 1 });
    const params = (z: number) => ({
      weightIh: zeros([3, 1]),
      weightHh: zeros([3, 1]),
      biasIh: tensor([0, z, 1]),
      biasHh: zeros([3]),
    });
    const h = tensor([[0.5]]);
    expect(toNumber(cell.step(params(200), { h }, zeros([1, 1]))[1])).toBe(0.5);
    expect(toNumber(cell.step(params(-200), { h }, zeros([1, 1]))[1])).toBeCloseTo(Math.tanh(1), 6);
  });
});
