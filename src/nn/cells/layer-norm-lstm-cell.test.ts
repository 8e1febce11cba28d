/** The layer-norm LSTM cell: the cases of every cell for its variants, and what normalization promises. */

import { describe, expect, test } from "vitest";
import { expectClose, largestError, numbers } from "../../../test/close.js";
import { type CellCase, rowTimes, runCellCases, sigma, standardized } from "../../../test/contracts/cell.cases.js";
import { multiply, randomKey } from "../../ops/index.js";
import { mapTensors } from "../../tensor/index.js";
import { recurrent } from "../recurrent/recurrent.js";
import { type LayerNormLSTMOptions, type LayerNormLSTMParams, layerNormLstm } from "./layer-norm-lstm-cell.js";

type Variant = Required<Pick<LayerNormLSTMOptions, "placement" | "cellNorm">>;

const caseOf = ({ placement, cellNorm }: Variant): Omit<CellCase, "golden"> => ({
  name: "layerNormLstm",
  make: (sizes) => layerNormLstm({ placement, cellNorm, ...sizes }),
  options: ["inputSize", "hiddenSize", "forgetBias", "placement", "cellNorm", "epsilon"],
  paramShapes: (i, h) => ({
    weightIh: [4 * h, i],
    weightHh: [4 * h, h],
    bias: [4 * h],
    ...(placement === "separate" ? { gainIh: [4 * h], gainHh: [4 * h] } : { gain: [4 * h] }),
    ...(cellNorm !== "none" && { gainCell: [h], biasCell: [h] }),
  }),
  stateWidths: (_, h) => ({ h, c: h }),
  goldenFile: "gated",
  equations: (read, state, x, size) => {
    const rows = Array.from({ length: 4 * size }, (_, row) => row);
    const fromInput = rows.map((row) => rowTimes(read, "weightIh", row, x));
    const fromState = rows.map((row) => rowTimes(read, "weightHh", row, state.h!));
    const ofGates = (values: number[]) =>
      [0, 1, 2, 3].flatMap((gate) => standardized(values.slice(gate * size, (gate + 1) * size)));
    const [ofInput, ofState, ofSum] = [
      standardized(fromInput),
      standardized(fromState),
      ofGates(rows.map((row) => fromInput[row]! + fromState[row]!)),
    ];
    const net = (gate: number, k: number): number => {
      const row = gate * size + k;
      const normalized =
        placement === "separate"
          ? read("gainIh", row) * ofInput[row]! + read("gainHh", row) * ofState[row]!
          : read("gain", row) * ofSum[row]!;
      return normalized + read("bias", row);
    };
    const s = state.c!.map((old, k) => sigma(net(1, k)) * old + sigma(net(0, k)) * Math.tanh(net(2, k)));
    const m =
      cellNorm === "none" ? s : standardized(s).map((value, k) => read("gainCell", k) * value + read("biasCell", k));
    const h = m.map((value, k) => sigma(net(3, k)) * Math.tanh(value));
    return { state: { h, c: cellNorm === "carry" ? m : s }, y: h };
  },
});

runCellCases({ ...caseOf({ placement: "separate", cellNorm: "output" }), golden: ["layerNormLstm"] });

describe("with one normalization for each gate, and a normalized carry,", () => {
  runCellCases({ ...caseOf({ placement: "summed", cellNorm: "carry" }), golden: ["layerNormLstmSummed"] });
});

describe("with a cell state that is not normalized,", () => {
  runCellCases({ ...caseOf({ placement: "separate", cellNorm: "none" }), golden: ["layerNormLstmNoCell"] });
});

describe("layerNormLstm", () => {
  const sizes = { inputSize: 3, hiddenSize: 5 };
  /** Largest change of five outputs when the incoming weights are multiplied by these factors. */
  const change = (options: Partial<LayerNormLSTMOptions>, ofInput: number, ofState: number): number => {
    const layer = recurrent(layerNormLstm({ ...sizes, epsilon: 1e-13, ...options }));
    const params = mapTensors(
      (weights) => numbers(weights.shape[0]!, weights.shape),
      layer.init(randomKey(0), "float64"),
    );
    const scaled: LayerNormLSTMParams = {
      ...params,
      weightIh: multiply(params.weightIh, ofInput),
      weightHh: multiply(params.weightHh, ofState),
    };
    const run = (p: LayerNormLSTMParams) => {
      const carry = { h: numbers(1, [2, 5]), c: numbers(2, [2, 5]) };
      return layer.apply(p, numbers(3, [5, 2, 3]), { carry }).outputs;
    };
    return largestError(run(scaled), run(params)).error;
  };

  test("does not change when all incoming weights are rescaled", () => {
    for (const placement of ["separate", "summed"] as const) {
      for (const cellNorm of ["output", "carry", "none"] as const) {
        expect(change({ placement, cellNorm }, 7, 7)).toBeLessThan(1e-9);
        expect(change({ placement, cellNorm }, -7, -7)).toBeGreaterThan(1e-2); // the sign matters
      }
    }
  });

  test("does not change when the weights of input or state alone are rescaled, if they are normalized apart", () => {
    expect(change({ placement: "separate" }, 7, 0.3)).toBeLessThan(1e-9);
    expect(change({ placement: "summed" }, 7, 0.3)).toBeGreaterThan(1e-2);
  });

  test("starts with gains of 1, a forget bias of 1 and other biases of 0", () => {
    const { bias, gainIh, gainHh, gainCell, biasCell } = layerNormLstm({ inputSize: 3, hiddenSize: 1 }).init(
      randomKey(0),
    );
    expect([bias, gainIh, gainHh, gainCell, biasCell].map((part) => Array.from(part!.data))).toEqual([
      [0, 1, 0, 0],
      [1, 1, 1, 1],
      [1, 1, 1, 1],
      [1],
      [0],
    ]);
    const summed = layerNormLstm({ inputSize: 3, hiddenSize: 1, placement: "summed", forgetBias: 3 }).init(
      randomKey(0),
    );
    expect([summed.bias, summed.gain!].map((part) => Array.from(part.data))).toEqual([
      [0, 3, 0, 0],
      [1, 1, 1, 1],
    ]);
  });

  test("adds epsilon to the variance: a large one makes the normalized numbers small", () => {
    const cell = layerNormLstm({ ...sizes, epsilon: 1e12, cellNorm: "none" });
    const params = cell.init(randomKey(0), "float64");
    const [{ c }] = cell.step(params, cell.initialCarry(2, "float64"), numbers(3, [2, 3]));
    expectClose(c, cell.initialCarry(2, "float64").c, 1e-5);
  });

  test.each<[object, string]>([
    [{ placement: "sum" }, 'placement cannot be "sum"; did you mean summed? The choices are separate, summed'],
    [{ cellNorm: "outputs" }, 'cellNorm cannot be "outputs"; did you mean output? The choices are output, carry, none'],
    [{ epsilon: 0 }, "epsilon must be a number greater than 0, but is 0"],
    [{ forgetBias: Number.NaN }, "forgetBias must be a finite number, but is NaN"],
  ])("refuses %j", (options, message) => {
    expect(() => layerNormLstm({ ...sizes, ...options })).toThrow(`layerNormLstm: ${message}`);
  });
});
