/** MUT1, MUT2 and MUT3: the cases of every cell, and what they have in common. */

import { describe, expect, test } from "vitest";
import { numbers } from "../../../test/close.js";
import {
  type CellCase,
  type Read,
  type Row,
  rowTimes,
  runCellCases,
  sigma,
} from "../../../test/contracts/cell.cases.js";
import { fill, randomKey, zeros } from "../../ops/index.js";
import { mapTensors, type Tensor } from "../../tensor/index.js";
import { mut1 } from "./mut1-cell.js";
import { mut2 } from "./mut2-cell.js";
import { mut3 } from "./mut3-cell.js";

/** r and z of unit k, and what its proposal reads beside the state. */
type Gates = (k: number) => { readonly r: number; readonly z: number; readonly n: number };

/** h' = (1 - z) ⊙ tanh(Un (r ⊙ h) + n) + z ⊙ h */
const mixed = (read: Read, state: Row, unBlock: number, gates: Gates) => {
  const reset = state.h!.map((old, k) => gates(k).r * old);
  const h = state.h!.map((old, k) => {
    const { z, n } = gates(k);
    const proposal = Math.tanh(rowTimes(read, "weightHh", unBlock * state.h!.length + k, reset) + n);
    return (1 - z) * proposal + z * old;
  });
  return { state: { h }, y: h };
};

const common = { stateWidths: (_: number, h: number) => ({ h }), goldenFile: "gated" } satisfies Partial<CellCase>;

runCellCases({
  ...common,
  name: "mut1",
  make: mut1,
  paramShapes: (i, h) => ({ weightIh: [3 * h, i], weightHh: [2 * h, h], bias: [3 * h] }),
  golden: ["mut1"],
  equations: (read, state, x, h) =>
    mixed(read, state, 1, (k) => ({
      r: sigma(rowTimes(read, "weightIh", k, x) + rowTimes(read, "weightHh", k, state.h!) + read("bias", k)),
      z: sigma(rowTimes(read, "weightIh", h + k, x) + read("bias", h + k)),
      n: Math.tanh(rowTimes(read, "weightIh", 2 * h + k, x)) + read("bias", 2 * h + k),
    })),
});

runCellCases({
  ...common,
  name: "mut2",
  make: mut2,
  paramShapes: (i, h) => ({ weightInput: [h, i], weightIh: [2 * h, h], weightHh: [3 * h, h], bias: [3 * h] }),
  inputWeight: "weightInput",
  drawn: ["weightInput", "weightIh", "weightHh"],
  golden: ["mut2"],
  equations: (read, state, x, h) => {
    const e = state.h!.map((_, k) => rowTimes(read, "weightInput", k, x));
    return mixed(read, state, 2, (k) => ({
      r: sigma(e[k]! + rowTimes(read, "weightHh", k, state.h!) + read("bias", k)),
      z: sigma(rowTimes(read, "weightIh", k, e) + rowTimes(read, "weightHh", h + k, state.h!) + read("bias", h + k)),
      n: rowTimes(read, "weightIh", h + k, e) + read("bias", 2 * h + k),
    }));
  },
});

runCellCases({
  ...common,
  name: "mut3",
  make: mut3,
  paramShapes: (i, h) => ({ weightIh: [3 * h, i], weightHh: [3 * h, h], bias: [3 * h] }),
  golden: ["mut3"],
  equations: (read, state, x, h) => {
    const squashed = state.h!.map(Math.tanh);
    return mixed(read, state, 2, (k) => ({
      r: sigma(rowTimes(read, "weightIh", k, x) + rowTimes(read, "weightHh", k, state.h!) + read("bias", k)),
      z: sigma(
        rowTimes(read, "weightIh", h + k, x) + rowTimes(read, "weightHh", h + k, squashed) + read("bias", h + k),
      ),
      n: rowTimes(read, "weightIh", 2 * h + k, x) + read("bias", 2 * h + k),
    }));
  },
});

describe.each([
  ["mut1", mut1],
  ["mut2", mut2],
  ["mut3", mut3],
])("%s", (_, make) => {
  const cell = make({ inputSize: 2, hiddenSize: 2 });

  test("starts with biases of zero", () => {
    expect(Array.from(cell.init(randomKey(0)).bias.data)).toEqual(new Array(6).fill(0));
  });

  test("keeps the old state where z is 1", () => {
    const params = mapTensors((weights) => zeros(weights.shape, "float64"), cell.init(randomKey(0)));
    const h = numbers(1, [3, 2]);
    const step = (bias: Tensor) => cell.step({ ...params, bias } as never, { h }, numbers(2, [3, 2]))[1];
    expect(step(fill([6], 200, "float64")).data).toEqual(h.data);
    expect(step(fill([6], -200, "float64")).data).toEqual(fill([3, 2], -1, "float64").data);
  });
});
