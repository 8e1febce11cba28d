/** The coupled LSTM cell: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectClose, f64, numbers } from "../../../test/close.js";
import { rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { concatenate, negate, randomKey, split, zeros } from "../../ops/index.js";
import { type Tensor, toNumber } from "../../tensor/index.js";
import { coupledLstm } from "./coupled-lstm-cell.js";
import { lstm } from "./lstm-cell.js";

runCellCases({
  name: "coupledLstm",
  make: coupledLstm,
  options: ["inputSize", "hiddenSize", "forgetBias"],
  paramShapes: (i, h) => ({ weightIh: [3 * h, i], weightHh: [3 * h, h], bias: [3 * h] }),
  stateWidths: (_, h) => ({ h, c: h }),
  golden: ["coupledLstm"],
  goldenFile: "gated",
  equations: (read, state, x, hiddenSize) => {
    const net = (block: number, k: number): number => {
      const row = block * hiddenSize + k;
      return rowTimes(read, "weightIh", row, x) + rowTimes(read, "weightHh", row, state.h!) + read("bias", row);
    };
    const [h, c]: [number[], number[]] = [[], []];
    for (let k = 0; k < hiddenSize; k++) {
      const i = sigma(net(0, k));
      c[k] = (1 - i) * state.c![k]! + i * Math.tanh(net(1, k));
      h[k] = sigma(net(2, k)) * Math.tanh(c[k]!);
    }
    return { state: { h, c }, y: h };
  },
});

describe("coupledLstm", () => {
  const biasOf = (options: object): number[] =>
    Array.from(coupledLstm({ inputSize: 3, hiddenSize: 2, ...options }).init(randomKey(0)).bias.data);

  test("starts with a forget gate as open as that of an lstm: an input bias of -1, or of minus the forget bias", () => {
    expect(biasOf({})).toEqual([-1, -1, 0, 0, 0, 0]);
    expect(biasOf({ forgetBias: 2.5 })).toEqual([-2.5, -2.5, 0, 0, 0, 0]);
    expect(() => biasOf({ forgetBias: Number.NaN })).toThrow("coupledLstm: forgetBias must be a finite number");
  });

  test("is a leaky unit whose leak it learns: with a constant gate, c goes to its target as (1 - i)^t", () => {
    const cell = coupledLstm({ inputSize: 1, hiddenSize: 1 });
    const leak = 0.2;
    const params = {
      weightIh: zeros([3, 1], "float64"),
      weightHh: zeros([3, 1], "float64"),
      bias: f64([Math.log(leak / (1 - leak)), Math.atanh(0.6), 0]),
    };
    let carry = cell.initialCarry(1, "float64");
    for (let t = 1; t <= 20; t++) {
      [carry] = cell.step(params, carry, zeros([1, 1], "float64"));
      expect(toNumber(carry.c)).toBeCloseTo(0.6 * (1 - (1 - leak) ** t), 12);
    }
  });

  test("is an lstm whose forget gate has the weights of the input gate, negated", () => {
    const three = { weightIh: numbers(1, [9, 2]), weightHh: numbers(2, [9, 3]), bias: numbers(3, [9]) };
    const withForgetGate = (stacked: Tensor): Tensor => {
      const [i, g, o] = split(stacked, 3, 0);
      return concatenate([i, negate(i), g, o], 0);
    };
    const four = {
      weightIh: withForgetGate(three.weightIh),
      weightHh: withForgetGate(three.weightHh),
      bias: withForgetGate(three.bias),
    };
    const [carry, x] = [{ h: numbers(4, [4, 3]), c: numbers(5, [4, 3]) }, numbers(6, [4, 2])];
    const sizes = { inputSize: 2, hiddenSize: 3 };
    expectClose(
      [...coupledLstm(sizes).step(three, carry, x)],
      [...lstm(sizes).step(four, carry, x)],
      TOLERANCES.float64,
    );
  });
});
