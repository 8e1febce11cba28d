import { describe, expect, test } from "vitest";
import { expectClose, f64, int32 } from "../../test/close.js";
import { toyParams, toyProblem, toyWindow } from "../../test/toy-problem.js";
import { randomKey, zeros } from "../ops/index.js";
import { initialState, train } from "../train/index.js";
import { gradientNoise, sgd } from "./index.js";

const at = (updates: number, seed = 1) => ({ key: randomKey(seed), updates: int32([updates], []) });

describe("gradientNoise", () => {
  test.each([0, 1, 99])("adds normal numbers of the variance that update %i has", (updates) => {
    const count = 40_000;
    const noisy = gradientNoise({ variance: 0.3 })({ w: zeros([count], "float64") }, at(updates));
    const values = Array.from(noisy.w.data);
    const expected = 0.3 / (1 + updates) ** 0.55;
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / count;
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(expected / count));
    expect(Math.abs(variance / expected - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
  });

  test("is added to the gradient, other numbers for each tensor and each key", () => {
    const noise = gradientNoise({ variance: 1, decay: 0 });
    const gradient = { a: f64([1, 2]), b: f64([10, 20]) };
    const [noisy, still] = [
      noise(gradient, at(5)),
      noise({ a: zeros([2], "float64"), b: zeros([2], "float64") }, at(5)),
    ];
    expectClose(noisy.a, f64(Array.from(still.a.data, (value, k) => value + k + 1)), 1e-15);
    expect(still.a.data).not.toEqual(still.b.data);
    expect(noise(gradient, at(5, 2)).a.data).not.toEqual(noisy.a.data);
    expect(noise(gradient, at(9)).a.data).toEqual(noisy.a.data);
  });

  test("in training differs from update to update, and is the same again for the same key", async () => {
    const biases = async (seed: number): Promise<number[]> => {
      const problem = toyProblem();
      const options = {
        problem,
        optimizer: sgd({ learningRate: 0.1 }),
        transforms: [gradientNoise({ variance: 1 })],
        batch: () => toyWindow(0, 4, "float32"),
        steps: 2,
      };
      const state = initialState({ ...options, params: toyParams("float32"), key: randomKey(seed) });
      const seen: number[] = [];
      for await (const report of train({ ...options, state })) seen.push(report.state.params.readout.bias.data[0]!);
      return seen;
    };
    expect(await biases(1)).toEqual(await biases(1));
    expect(await biases(1)).not.toEqual(await biases(2));
  });

  test("refuses options that make no sense", () => {
    expect(() => gradientNoise({ variance: 0 })).toThrow("gradientNoise: variance must be a number greater than 0");
    expect(() => gradientNoise({ variance: 1, decay: -1 })).toThrow("gradientNoise: decay must be");
  });
});
