/** The IRNN cell: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectSame } from "../../../test/close.js";
import { rowTimes, runCellCases } from "../../../test/contracts/cell.cases.js";
import { identity, multiply, randomKey, zeros } from "../../ops/index.js";
import { tensor } from "../../tensor/index.js";
import { recurrent } from "../recurrent/recurrent.js";
import { irnn } from "./irnn-cell.js";

runCellCases({
  name: "irnn",
  make: irnn,
  options: ["inputSize", "hiddenSize", "identityScale", "inputDeviation"],
  paramShapes: (i, h) => ({ weightIh: [h, i], weightHh: [h, h], bias: [h] }),
  stateWidths: (_, h) => ({ h }),
  drawn: ["weightIh"],
  orthogonalStart: false,
  golden: ["irnn"],
  goldenFile: "linear",
  equations: (read, state, x, hiddenSize) => {
    const h = Array.from({ length: hiddenSize }, (_, k) =>
      Math.max(rowTimes(read, "weightIh", k, x) + rowTimes(read, "weightHh", k, state.h!) + read("bias", k), 0),
    );
    return { state: { h }, y: h };
  },
});

describe("irnn", () => {
  test("starts with the identity, small input weights and biases of zero", () => {
    const { weightIh, weightHh, bias } = irnn({ inputSize: 50, hiddenSize: 80 }).init(randomKey(1));
    expectSame(weightHh, identity(80));
    expectSame(bias, zeros([80]));
    const deviation = Math.hypot(...weightIh.data) / Math.sqrt(weightIh.data.length);
    expect(deviation).toBeGreaterThan(0.00095);
    expect(deviation).toBeLessThan(0.00105);
  });

  test("starts with the scale and the deviation that are asked for", () => {
    const cell = irnn({ inputSize: 2, hiddenSize: 3, identityScale: 0.25, inputDeviation: 0 });
    const { weightIh, weightHh } = cell.init(randomKey(1));
    expectSame(weightHh, multiply(identity(3), 0.25));
    expectSame(weightIh, zeros([3, 2]));
    expect(() => irnn({ inputSize: 2, hiddenSize: 3, inputDeviation: -1 })).toThrow(
      "irnn: inputDeviation must be a number at least 0, but is -1",
    );
    expect(() => irnn({ inputSize: 2, hiddenSize: 3, identityScale: Number.NaN })).toThrow(
      "irnn: identityScale must be a finite number, but is NaN",
    );
  });

  test("remembers a positive state for a thousand steps without input, to the last bit", () => {
    const cell = irnn({ inputSize: 2, hiddenSize: 3 });
    const carry = { h: tensor([[0.1, 0.7, 0]]) };
    const after = recurrent(cell).apply(cell.init(randomKey(2)), zeros([1000, 1, 2]), { carry }).carry;
    expectSame(after, carry);
  });
});
