/** The LSTM cell: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { randomKey, zeros } from "../../ops/index.js";
import { type Tensor, tensor, toNumber } from "../../tensor/index.js";
import { recurrent } from "../recurrent/recurrent.js";
import { lstm } from "./lstm-cell.js";

runCellCases({
  name: "lstm",
  make: lstm,
  options: ["inputSize", "hiddenSize", "forgetBias", "updateDropout"],
  paramShapes: (i, h) => ({ weightIh: [4 * h, i], weightHh: [4 * h, h], bias: [4 * h] }),
  stateWidths: (_, h) => ({ h, c: h }),
  golden: ["lstm", "lstmRagged"],
  equations: (read, state, x, hiddenSize) => {
    const gate = (block: number, k: number): number => {
      const row = block * hiddenSize + k;
      return rowTimes(read, "weightIh", row, x) + rowTimes(read, "weightHh", row, state.h!) + read("bias", row);
    };
    const [h, c]: [number[], number[]] = [[], []];
    for (let k = 0; k < hiddenSize; k++) {
      const [i, f, g, o] = [sigma(gate(0, k)), sigma(gate(1, k)), Math.tanh(gate(2, k)), sigma(gate(3, k))];
      c[k] = f * state.c![k]! + i * g;
      h[k] = o * Math.tanh(c[k]!);
    }
    return { state: { h, c }, y: h };
  },
});

describe("lstm", () => {
  const biasOf = (options: object): number[] =>
    Array.from(lstm({ inputSize: 3, hiddenSize: 2, ...options }).init(randomKey(0)).bias.data);

  test("starts with a forget bias of 1 and other biases of 0", () => {
    expect(biasOf({})).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  });

  test("starts with the forget bias that is asked for", () => {
    expect(biasOf({ forgetBias: 2.5 })).toEqual([0, 0, 2.5, 2.5, 0, 0, 0, 0]);
    expect(biasOf({ forgetBias: 0 })).toEqual(new Array(8).fill(0));
    expect(() => biasOf({ forgetBias: Number.NaN })).toThrow("lstm: forgetBias must be a finite number, but is NaN");
  });

  test("keeps c apart from h: with all gates open and no weights, c grows by 1 and h stays below 1", () => {
    const cell = lstm({ inputSize: 1, hiddenSize: 1 });
    const params = { weightIh: zeros([4, 1]), weightHh: zeros([4, 1]), bias: tensor([50, 50, 50, 50]) };
    let carry = cell.initialCarry(1);
    for (let t = 1; t <= 5; t++) {
      let y: Tensor;
      [carry, y] = cell.step(params, carry, zeros([1, 1]));
      expect(toNumber(carry.c)).toBeCloseTo(t, 5);
      expect(toNumber(y)).toBeCloseTo(Math.tanh(t), 5);
    }
  });

  test("remembers c unchanged when the forget gate is open and the input gate closed", () => {
    const cell = lstm({ inputSize: 1, hiddenSize: 1 });
    const params = { weightIh: zeros([4, 1]), weightHh: zeros([4, 1]), bias: tensor([-200, 200, 0, 0]) };
    const xs = tensor(
      Float32Array.from({ length: 1000 }, (_, t) => Math.sin(t)),
      { shape: [1000, 1, 1] },
    );
    const { carry } = recurrent(cell).apply(params, xs, { carry: { h: zeros([1, 1]), c: tensor([[0.75]]) } });
    expect(toNumber(carry.c)).toBe(0.75);
  });
});
