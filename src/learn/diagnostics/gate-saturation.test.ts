import { describe, expect, test } from "vitest";
import { f64, numbers } from "../../../test/close.js";
import { elman, gru, lstm } from "../../nn/index.js";
import { randomKey, zerosLike } from "../../ops/index.js";
import { mapTensors } from "../../tensor/index.js";
import { gateSaturation } from "../index.js";

describe("gateSaturation", () => {
  const cell = lstm({ inputSize: 1, hiddenSize: 2 });
  const still = mapTensors(zerosLike, cell.init(randomKey(0), "float64"));
  /** Biases of f alone are not zero: unit 0 is open, unit 1 shut. */
  const params = { ...still, bias: f64([0, 0, 5, -5, 0, 0, 0, 0]) };

  test("tells of each unit of each gate how often it is open and shut", () => {
    const gates = gateSaturation(cell, params, numbers(1, [6, 3, 1]));
    const [forget, input, output] = gates;
    expect(gates.length).toBe(3);
    expect(forget!.open).toEqual([1, 0]);
    expect(forget!.shut).toEqual([0, 1]);
    expect(forget!.mean[0]).toBeCloseTo(1 / (1 + Math.exp(-5)), 12);
    for (const gate of [input, output]) expect(gate).toEqual({ open: [0, 0], shut: [0, 0], mean: [0.5, 0.5] });
  });

  test("counts parts of steps and sequences, with thresholds of one's own", () => {
    const driven = { ...still, weightIh: f64([1, 0, 0, 0, 0, 0, 0, 0], [8, 1]) };
    const xs = f64([3, -3, 0, 0.5], [2, 2, 1]);
    const [, input] = gateSaturation(cell, driven, xs);
    expect([input!.open[0], input!.shut[0]]).toEqual([0.25, 0.25]);
    const [, wide] = gateSaturation(cell, driven, xs, { shutBelow: 0.55, openFrom: 0.6 });
    expect([wide!.open[0], wide!.shut[0]]).toEqual([0.5, 0.5]);
  });

  test("goes on from a carry, for any cell that has gates", () => {
    const units = gru({ inputSize: 1, hiddenSize: 2 });
    const at = mapTensors(zerosLike, units.init(randomKey(0), "float64"));
    const weightHh = f64([9, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0], [6, 2]);
    const [, reset] = gateSaturation(units, { ...at, weightHh }, f64([0], [1, 1, 1]), {
      carry: { h: f64([1, -1], [1, 2]) },
    });
    expect(reset).toMatchObject({ open: [1, 0], shut: [0, 1] });
  });

  test("refuses a cell without gates, and thresholds that make no sense", () => {
    const plain = elman({ inputSize: 1, hiddenSize: 2 });
    expect(() => gateSaturation(plain, plain.init(randomKey(0)), numbers(1, [2, 1, 1], "float32"))).toThrow(
      "gateSaturation: the step of the cell computes no sigmoid",
    );
    expect(() => gateSaturation(cell, params, numbers(1, [2, 1, 1]), { openFrom: 0.05 })).toThrow("openFrom must be");
  });
});
