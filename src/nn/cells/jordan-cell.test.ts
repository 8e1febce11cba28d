/** Jordan's network: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, numbers } from "../../../test/close.js";
import { type Read, type Row, rowTimes, runCellCases, sigma } from "../../../test/contracts/cell.cases.js";
import { runGoldenCase } from "../../../test/golden.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { add, at, concatenate, expandDims, randomKey, slice, square, subtract, sum, zeros } from "../../ops/index.js";
import { mapTensors, type Tensor } from "../../tensor/index.js";
import { grad, jvp } from "../../transforms/index.js";
import { recurrent } from "../recurrent/recurrent.js";
import { type JordanParams, jordan } from "./jordan-cell.js";

const equations =
  (decay: number) =>
  (read: Read, state: Row, x: readonly number[], hiddenSize: number): { state: Row; y: readonly number[] } => {
    const h = Array.from({ length: hiddenSize }, (_, k) =>
      sigma(rowTimes(read, "weightIh", k, x) + rowTimes(read, "weightSh", k, state.s!) + read("bias", k)),
    );
    const y = state.s!.map((_, k) => sigma(rowTimes(read, "weightHy", k, h) + read("biasY", k)));
    return { state: { s: y.map((value, k) => decay * state.s![k]! + value) }, y };
  };

const OPTIONS = ["inputSize", "hiddenSize", "outputSize", "decay"];
const DRAWN = ["weightIh", "weightSh", "weightHy"];

runCellCases({
  name: "jordan",
  make: jordan,
  options: OPTIONS,
  paramShapes: (i, h) => ({ weightIh: [h, i], weightSh: [h, h], bias: [h], weightHy: [h, h], biasY: [h] }),
  stateWidths: (_, h) => ({ s: h }),
  drawn: DRAWN,
  orthogonalStart: false,
  golden: ["jordan"],
  goldenFile: "linear",
  equations: equations(0),
});

// With two outputs, and state units that decay.
runCellCases({
  name: "jordan",
  make: (sizes) => jordan({ ...sizes, outputSize: 2, decay: 0.6 }),
  options: OPTIONS,
  paramShapes: (i, h) => ({ weightIh: [h, i], weightSh: [h, 2], bias: [h], weightHy: [2, h], biasY: [2] }),
  stateWidths: () => ({ s: 2 }),
  outputSize: () => 2,
  drawn: DRAWN,
  orthogonalStart: false,
  golden: [],
  equations: equations(0.6),
});

runGoldenCase("jordanDecay", recurrent(jordan({ inputSize: 4, hiddenSize: 3, decay: 0.6 })), "linear");

describe("jordan", () => {
  const cell = jordan({ inputSize: 2, hiddenSize: 3, outputSize: 2, decay: 0.5 });
  const params = mapTensors((leaf) => numbers(leaf.shape.length, leaf.shape), cell.init(randomKey(1), "float64"));

  test("holds in its state units the sum of all outputs, each weighted by a power of the decay", () => {
    const { outputs, carry } = recurrent(cell).apply(params, numbers(5, [4, 1, 2]));
    const weighted = Array.from({ length: 2 }, (_, k) =>
      [0.125, 0.25, 0.5, 1].reduce((total, weight, t) => total + weight * outputs.data[2 * t + k]!, 0),
    );
    expectClose(carry.s, f64(weighted, [1, 2]), TOLERANCES.float64);
  });

  test("forced with targets, has the gradient of its steps taken one by one: nothing flows through time", () => {
    const plain = jordan({ inputSize: 2, hiddenSize: 3, outputSize: 2 });
    const [xs, targets] = [numbers(6, [5, 3, 2]), numbers(7, [5, 3, 2])];
    const before = concatenate([zeros([1, 3, 2], "float64"), slice(targets, 0, 0, -1)], 0);
    const stepLoss = (p: JordanParams, t: number): Tensor => {
      const [, y] = plain.step(p, { s: at(before, t) }, at(xs, t));
      return sum(square(subtract(y, at(targets, t))));
    };
    const oneByOne = [0, 1, 2, 3, 4]
      .map((t) => grad((p: JordanParams) => stepLoss(p, t))(params))
      .reduce((total, next) => mapTensors(add, total, next));
    // All steps at once, as rows of one batch: there is no recurrence left.
    const rows = (sequence: Tensor) =>
      concatenate(
        [0, 1, 2, 3, 4].map((t) => at(sequence, t)),
        0,
      );
    const loss = (p: JordanParams) => {
      const { outputs } = recurrent(plain).apply(p, expandDims(rows(xs), 0), { carry: { s: rows(before) } });
      return sum(square(subtract(at(outputs, 0), rows(targets))));
    };
    expectClose(grad(loss)(params), oneByOne, TOLERANCES.float64);
  });

  test("sees earlier steps through its outputs alone", () => {
    const blind = { ...params, weightHy: zeros([2, 3], "float64") };
    const last = (xs: Tensor) => at(recurrent(cell).apply(blind, xs).outputs, -1);
    const { tangent } = jvp(last, [numbers(8, [4, 1, 2])], [numbers(9, [4, 1, 2])]);
    expectSame(tangent, zeros([1, 2], "float64"));
  });

  test("refuses a decay outside [0, 1), and an output size that is none", () => {
    expect(() => jordan({ inputSize: 2, hiddenSize: 3, decay: 1 })).toThrow(
      "jordan: decay must be a number at least 0 and less than 1, but is 1",
    );
    expect(() => jordan({ inputSize: 2, hiddenSize: 3, outputSize: 0 })).toThrow(
      "jordan: outputSize must be a whole number of at least 1, but is 0",
    );
  });
});
