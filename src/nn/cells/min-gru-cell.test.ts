/** The minimal GRU: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectSame } from "../../../test/close.js";
import { type Read, type Row, rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { runLinearCellCases } from "../../../test/contracts/linear-cell.cases.js";
import { runGoldenCase } from "../../../test/golden.js";
import { randomKey, zeros } from "../../ops/index.js";
import { linearRecurrent } from "../linear-recurrence/linear-recurrent.js";
import { minGru } from "./min-gru-cell.js";

const equations =
  (candidate: (n: number) => number) =>
  (read: Read, state: Row, x: readonly number[], hiddenSize: number): { state: Row; y: readonly number[] } => {
    const block = (index: number, k: number): number => {
      const row = index * hiddenSize + k;
      return rowTimes(read, "weightIh", row, x) + read("bias", row);
    };
    const h = state.h!.map((old, k) => {
      const z = sigma(block(0, k));
      return (1 - z) * old + z * candidate(block(1, k));
    });
    return { state: { h }, y: h };
  };

const SHARED = {
  name: "minGru",
  options: ["inputSize", "hiddenSize", "positive"],
  paramShapes: (i: number, h: number) => ({ weightIh: [2 * h, i], bias: [2 * h] }),
  stateWidths: (_: number, h: number) => ({ h }),
  drawn: ["weightIh"],
  orthogonalStart: false,
  goldenFile: "linear",
} as const;

runCellCases({ ...SHARED, make: minGru, golden: ["minGru"], equations: equations((n) => n) });
runCellCases({
  ...SHARED,
  make: (sizes) => minGru({ ...sizes, positive: true }),
  golden: ["minGruPositive"],
  equations: equations((n) => (n >= 0 ? n + 0.5 : sigma(n))),
});
runLinearCellCases({ name: "minGru", cell: minGru({ inputSize: 3, hiddenSize: 4 }) });
for (const method of ["sequential", "associative"] as const) {
  runGoldenCase("minGru", linearRecurrent(minGru({ inputSize: 4, hiddenSize: 3 }), { method }), "linear");
}

describe("minGru", () => {
  test("starts with each block of the input weights within Glorot's limit, and biases of zero", () => {
    const { weightIh, bias } = minGru({ inputSize: 30, hiddenSize: 40 }).init(randomKey(1));
    const limit = Math.sqrt(6 / 70);
    const largest = Math.max(...Array.from(weightIh.data, Math.abs));
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThan(0.98 * limit);
    expectSame(bias, zeros([80]));
  });
});
