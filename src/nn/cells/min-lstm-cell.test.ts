/** The minimal LSTM: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64 } from "../../../test/close.js";
import { type Read, type Row, rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { runLinearCellCases } from "../../../test/contracts/linear-cell.cases.js";
import { runGoldenCase } from "../../../test/golden.js";
import { randomKey, zeros } from "../../ops/index.js";
import { tensor } from "../../tensor/index.js";
import { linearRecurrent } from "../linear-recurrence/linear-recurrent.js";
import { minLstm } from "./min-lstm-cell.js";

const equations =
  (candidate: (g: number) => number) =>
  (read: Read, state: Row, x: readonly number[], hiddenSize: number): { state: Row; y: readonly number[] } => {
    const block = (index: number, k: number): number => {
      const row = index * hiddenSize + k;
      return rowTimes(read, "weightIh", row, x) + read("bias", row);
    };
    const h = state.h!.map((old, k) => {
      const [i, f] = [sigma(block(0, k)), sigma(block(1, k))];
      return (f / (f + i)) * old + (i / (f + i)) * candidate(block(2, k));
    });
    return { state: { h }, y: h };
  };

const SHARED = {
  name: "minLstm",
  options: ["inputSize", "hiddenSize", "positive"],
  paramShapes: (i: number, h: number) => ({ weightIh: [3 * h, i], bias: [3 * h] }),
  stateWidths: (_: number, h: number) => ({ h }),
  drawn: ["weightIh"],
  orthogonalStart: false,
  goldenFile: "linear",
} as const;

runCellCases({ ...SHARED, make: minLstm, golden: ["minLstm"], equations: equations((g) => g) });
runCellCases({
  ...SHARED,
  make: (sizes) => minLstm({ ...sizes, positive: true }),
  golden: ["minLstmPositive"],
  equations: equations((g) => (g >= 0 ? g + 0.5 : sigma(g))),
});
runLinearCellCases({ name: "minLstm", cell: minLstm({ inputSize: 3, hiddenSize: 4 }) });
for (const method of ["sequential", "associative"] as const) {
  runGoldenCase("minLstm", linearRecurrent(minLstm({ inputSize: 4, hiddenSize: 3 }), { method }), "linear");
}

describe("minLstm", () => {
  test("starts with each block of the input weights within Glorot's limit, and biases of zero", () => {
    const { weightIh, bias } = minLstm({ inputSize: 30, hiddenSize: 40 }).init(randomKey(1));
    const limit = Math.sqrt(6 / 70);
    const largest = Math.max(...Array.from(weightIh.data, Math.abs));
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThan(0.98 * limit);
    expectSame(bias, zeros([120]));
  });

  test("shares out old and new with both gates closed as far as numbers go, where the quotient would be 0 / 0", () => {
    const cell = minLstm({ inputSize: 1, hiddenSize: 3 });
    // i and f alike; f greater by a factor e; and all new: g = 2, h = 1.
    const params = {
      weightIh: zeros([9, 1]),
      bias: tensor([-200, -201, 50, -200, -200, -200, 2, 2, 2]),
    };
    const [{ h }] = cell.step(params, { h: tensor([[1, 1, 1]]) }, zeros([1, 1]));
    const kept = Math.E / (Math.E + 1);
    expectClose(h, f64([1.5, kept + 2 * (1 - kept), 2], [1, 3]), 1e-5);
  });
});
