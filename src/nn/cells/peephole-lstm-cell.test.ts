/** The peephole LSTM cell: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectClose, numbers } from "../../../test/close.js";
import { rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { randomKey, zeros } from "../../ops/index.js";
import { tensor, toNumber } from "../../tensor/index.js";
import { lstm } from "./lstm-cell.js";
import { peepholeLstm } from "./peephole-lstm-cell.js";

runCellCases({
  name: "peepholeLstm",
  make: peepholeLstm,
  options: ["inputSize", "hiddenSize", "forgetBias"],
  paramShapes: (i, h) => ({ weightIh: [4 * h, i], weightHh: [4 * h, h], weightPeephole: [3 * h], bias: [4 * h] }),
  stateWidths: (_, h) => ({ h, c: h }),
  golden: ["peepholeLstm"],
  goldenFile: "gated",
  equations: (read, state, x, hiddenSize) => {
    const net = (block: number, k: number): number => {
      const row = block * hiddenSize + k;
      return rowTimes(read, "weightIh", row, x) + rowTimes(read, "weightHh", row, state.h!) + read("bias", row);
    };
    const peep = (block: number, k: number): number => read("weightPeephole", block * hiddenSize + k);
    const [h, c]: [number[], number[]] = [[], []];
    for (let k = 0; k < hiddenSize; k++) {
      const old = state.c![k]!;
      const i = sigma(net(0, k) + peep(0, k) * old);
      const f = sigma(net(1, k) + peep(1, k) * old);
      c[k] = f * old + i * Math.tanh(net(2, k));
      h[k] = sigma(net(3, k) + peep(2, k) * c[k]!) * Math.tanh(c[k]!);
    }
    return { state: { h, c }, y: h };
  },
});

describe("peepholeLstm", () => {
  const cell = peepholeLstm({ inputSize: 2, hiddenSize: 3 });

  test("starts with a forget bias of 1, or the one that is asked for, and with peepholes and other biases of 0", () => {
    const { bias, weightPeephole } = cell.init(randomKey(0));
    expect(Array.from(bias.data)).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect(Array.from(weightPeephole.data)).toEqual(new Array(9).fill(0));
    const other = peepholeLstm({ inputSize: 1, hiddenSize: 1, forgetBias: -2 });
    expect(Array.from(other.init(randomKey(0)).bias.data)).toEqual([0, -2, 0, 0]);
  });

  test("is an lstm where the peepholes are 0", () => {
    const params = { ...cell.init(randomKey(1), "float64"), bias: numbers(2, [12]) };
    const [carry, x] = [{ h: numbers(3, [4, 3]), c: numbers(4, [4, 3]) }, numbers(5, [4, 2])];
    const { weightIh, weightHh, bias } = params;
    const plain = lstm({ inputSize: 2, hiddenSize: 3 }).step({ weightIh, weightHh, bias }, carry, x);
    expectClose([...cell.step(params, carry, x)], [...plain], TOLERANCES.float64);
  });

  test("shows its output gate the new cell state, and its other gates the old one", () => {
    const one = peepholeLstm({ inputSize: 1, hiddenSize: 1 });
    const step = (weightPeephole: number[]) => {
      const params = {
        weightIh: zeros([4, 1]),
        weightHh: zeros([4, 1]),
        weightPeephole: tensor(weightPeephole),
        bias: tensor([50, -50, 50, 0]), // writes 1, forgets what was there
      };
      const [{ c }, y] = one.step(params, { h: zeros([1, 1]), c: tensor([[-1]]) }, zeros([1, 1]));
      return [toNumber(c), toNumber(y)];
    };
    expect(step([0, 0, 0])[1]).toBeCloseTo(Math.tanh(1) / 2, 6);
    expect(step([0, 0, 200])[1]).toBeCloseTo(Math.tanh(1), 6); // c' = 1 opens the output gate
    expect(step([200, 0, 0])[0]).toBeCloseTo(0, 6); // c = -1 closes the input gate
    expect(step([0, -200, 0])[0]).toBeCloseTo(0, 6); // c = -1 opens the forget gate: -1 + 1
  });
});
