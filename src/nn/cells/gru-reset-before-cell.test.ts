/** The GRU with the reset before cell: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { f64, largestError, numbers } from "../../../test/close.js";
import { rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { randomKey, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { gru } from "./gru-cell.js";
import { gruResetBefore } from "./gru-reset-before-cell.js";

runCellCases({
  name: "gruResetBefore",
  make: gruResetBefore,
  options: ["inputSize", "hiddenSize", "updateDropout"],
  paramShapes: (i, h) => ({ weightIh: [3 * h, i], weightHh: [3 * h, h], bias: [3 * h] }),
  stateWidths: (_, h) => ({ h }),
  golden: ["gruResetBefore"],
  equations: (read, state, x, hiddenSize) => {
    const gate = (block: number, k: number, h: readonly number[]): number => {
      const row = block * hiddenSize + k;
      return rowTimes(read, "weightIh", row, x) + rowTimes(read, "weightHh", row, h) + read("bias", row);
    };
    const reset = state.h!.map((value, k) => sigma(gate(0, k, state.h!)) * value);
    const h = state.h!.map((old, k) => {
      const z = sigma(gate(1, k, state.h!));
      return (1 - z) * Math.tanh(gate(2, k, reset)) + z * old;
    });
    return { state: { h }, y: h };
  },
});

describe("gruResetBefore", () => {
  test("starts with biases of zero", () => {
    expect(Array.from(gruResetBefore({ inputSize: 8, hiddenSize: 2 }).init(randomKey(0)).bias.data)).toEqual(
      new Array(6).fill(0),
    );
  });

  test("differs from gru with the same weights, and equals it where the reset gate is open", () => {
    const [before, after] = [gruResetBefore, gru].map((make) => make({ inputSize: 2, hiddenSize: 3 }));
    const [weightIh, weightHh] = [numbers(1, [9, 2]), numbers(2, [9, 3])];
    const [carry, x] = [{ h: numbers(3, [4, 3]) }, numbers(4, [4, 2])];
    const error = (bias: Tensor): number => {
      const [, y] = before!.step({ weightIh, weightHh, bias } as never, carry, x);
      const [, z] = after!.step({ weightIh, weightHh, biasIh: bias, biasHh: zeros([9], "float64") } as never, carry, x);
      return largestError(y, z).error;
    };
    expect(error(f64([0, 0, 0, 0, 0, 0, 0, 0, 0]))).toBeGreaterThan(1e-2);
    expect(error(f64([200, 200, 200, 0, 0, 0, 0, 0, 0]))).toBeLessThan(1e-12);
  });
});
