/** The Elman cell: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { rowTimes, runCellCases } from "../../../test/contracts/cell.cases.js";
import { randomKey, zeros } from "../../ops/index.js";
import { elman } from "./elman-cell.js";

runCellCases({
  name: "elman",
  make: elman,
  paramShapes: (i, h) => ({ weightIh: [h, i], weightHh: [h, h], bias: [h] }),
  stateWidths: (_, h) => ({ h }),
  golden: ["elman", "elmanRagged"],
  equations: (read, state, x, hiddenSize) => {
    const h = Array.from({ length: hiddenSize }, (_, k) =>
      Math.tanh(rowTimes(read, "weightIh", k, x) + rowTimes(read, "weightHh", k, state.h!) + read("bias", k)),
    );
    return { state: { h }, y: h };
  },
});

describe("elman", () => {
  test("starts with biases of zero", () => {
    expect(Array.from(elman({ inputSize: 2, hiddenSize: 3 }).init(randomKey(0)).bias.data)).toEqual([0, 0, 0]);
  });

  test("shows its whole state: the output is the new h", () => {
    const cell = elman({ inputSize: 8, hiddenSize: 32 }); // the example of its documentation
    const [{ h }, y] = cell.step(cell.init(randomKey(0)), cell.initialCarry(1), zeros([1, 8]));
    expect(y).toBe(h);
  });
});
