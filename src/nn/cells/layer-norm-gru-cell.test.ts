/** The layer-norm GRU cell: the cases of every cell for its variants, and what normalization promises. */

import { describe, expect, test } from "vitest";
import { largestError, numbers } from "../../../test/close.js";
import { type CellCase, rowTimes, runCellCases, sigma, standardized } from "../../../test/contracts/cell.cases.js";
import { multiply, randomKey } from "../../ops/index.js";
import { mapTensors } from "../../tensor/index.js";
import { recurrent } from "../recurrent/recurrent.js";
import { type LayerNormGRUOptions, type LayerNormGRUParams, layerNormGru } from "./layer-norm-gru-cell.js";

const common = {
  name: "layerNormGru",
  options: ["inputSize", "hiddenSize", "placement", "epsilon"],
  stateWidths: (_: number, h: number) => ({ h }),
  goldenFile: "gated",
} satisfies Partial<CellCase>;

const rowsOf = (count: number): number[] => Array.from({ length: count }, (_, row) => row);

runCellCases({
  ...common,
  make: layerNormGru,
  paramShapes: (i, h) => ({
    weightIh: [3 * h, i],
    weightHh: [3 * h, h],
    gainIh: [3 * h],
    gainHh: [3 * h],
    biasIh: [3 * h],
    biasHh: [3 * h],
  }),
  golden: ["layerNormGru"],
  equations: (read, state, x, size) => {
    const part = (which: "Ih" | "Hh", input: readonly number[]): number[] => {
      const products = rowsOf(3 * size).map((row) => rowTimes(read, `weight${which}`, row, input));
      const normalized = [...standardized(products.slice(0, 2 * size)), ...standardized(products.slice(2 * size))];
      return normalized.map((value, row) => read(`gain${which}`, row) * value + read(`bias${which}`, row));
    };
    const [fromInput, fromState] = [part("Ih", x), part("Hh", state.h!)];
    const h = state.h!.map((old, k) => {
      const r = sigma(fromInput[k]! + fromState[k]!);
      const z = sigma(fromInput[size + k]! + fromState[size + k]!);
      return (1 - z) * Math.tanh(fromInput[2 * size + k]! + r * fromState[2 * size + k]!) + z * old;
    });
    return { state: { h }, y: h };
  },
});

describe("with one normalization of the sum,", () => {
  runCellCases({
    ...common,
    make: (sizes) => layerNormGru({ placement: "summed", ...sizes }),
    paramShapes: (i, h) => ({ weightIh: [3 * h, i], weightHh: [3 * h, h], gain: [3 * h], bias: [3 * h] }),
    golden: ["layerNormGruSummed"],
    equations: (read, state, x, size) => {
      const sums = rowsOf(3 * size).map(
        (row) => rowTimes(read, "weightIh", row, x) + rowTimes(read, "weightHh", row, state.h!),
      );
      const net = standardized(sums).map((value, row) => read("gain", row) * value + read("bias", row));
      const h = state.h!.map((old, k) => {
        const z = sigma(net[size + k]!);
        return (1 - z) * Math.tanh(sigma(net[k]!) * net[2 * size + k]!) + z * old;
      });
      return { state: { h }, y: h };
    },
  });
});

describe("layerNormGru", () => {
  const sizes = { inputSize: 3, hiddenSize: 5 };
  /** Largest change of five outputs when the incoming weights are multiplied by these factors. */
  const change = (placement: LayerNormGRUOptions["placement"] & string, ofInput: number, ofState: number): number => {
    const layer = recurrent(layerNormGru({ ...sizes, epsilon: 1e-13, placement }));
    const params = mapTensors(
      (weights) => numbers(weights.shape[0]!, weights.shape),
      layer.init(randomKey(0), "float64"),
    );
    const scaled: LayerNormGRUParams = {
      ...params,
      weightIh: multiply(params.weightIh, ofInput),
      weightHh: multiply(params.weightHh, ofState),
    };
    const run = (p: LayerNormGRUParams) =>
      layer.apply(p, numbers(3, [5, 2, 3]), { carry: { h: numbers(1, [2, 5]) } }).outputs;
    return largestError(run(scaled), run(params)).error;
  };

  test("does not change when all incoming weights are rescaled", () => {
    for (const placement of ["separate", "summed"] as const) {
      expect(change(placement, 7, 7)).toBeLessThan(1e-9);
      expect(change(placement, -7, -7)).toBeGreaterThan(1e-2); // the sign matters
    }
  });

  test("does not change when the weights of input or state alone are rescaled, if they are normalized apart", () => {
    expect(change("separate", 7, 0.3)).toBeLessThan(1e-9);
    expect(change("summed", 7, 0.3)).toBeGreaterThan(1e-2);
  });

  test("starts with gains of 1 and biases of 0", () => {
    const one = { inputSize: 3, hiddenSize: 1 };
    const { gainIh, gainHh, biasIh, biasHh } = layerNormGru(one).init(randomKey(0));
    const { gain, bias } = layerNormGru({ ...one, placement: "summed" }).init(randomKey(0));
    for (const part of [gainIh, gainHh, gain]) expect(Array.from(part!.data)).toEqual([1, 1, 1]);
    for (const part of [biasIh, biasHh, bias]) expect(Array.from(part!.data)).toEqual([0, 0, 0]);
  });

  test.each<[object, string]>([
    [{ placement: "sum" }, 'placement cannot be "sum"; did you mean summed? The choices are separate, summed'],
    [{ epsilon: -1 }, "epsilon must be a number greater than 0, but is -1"],
  ])("refuses %j", (options, message) => {
    expect(() => layerNormGru({ ...sizes, ...options })).toThrow(`layerNormGru: ${message}`);
  });
});
