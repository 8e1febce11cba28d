/** The linear recurrent unit: the cases of every cell, and what only this one promises. */

import { describe, expect, test } from "vitest";
import { expectClose, f64, numbers } from "../../../test/close.js";
import { rowTimes, runCellCases } from "../../../test/contracts/cell.cases.js";
import { runLinearCellCases } from "../../../test/contracts/linear-cell.cases.js";
import { runGoldenCase } from "../../../test/golden.js";
import { randomKey, zeros } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import type { Tensor } from "../../tensor/index.js";
import { linearRecurrent } from "../linear-recurrence/linear-recurrent.js";
import { type LRUOptions, lru } from "./lru-cell.js";

const shapes = (i: number, h: number, y: number) => ({
  nuLog: [h],
  thetaLog: [h],
  gammaLog: [h],
  weightIh: [2 * h, i],
  weightHy: [y, 2 * h],
  weightIy: [y, i],
});

runCellCases({
  name: "lru",
  make: lru,
  options: ["inputSize", "hiddenSize", "outputSize", "minRadius", "maxRadius", "maxPhase"],
  paramShapes: (i, h) => shapes(i, h, h),
  stateWidths: (_, h) => ({ re: h, im: h }),
  drawn: ["nuLog", "thetaLog", "gammaLog", "weightIh", "weightHy", "weightIy"],
  orthogonalStart: false,
  golden: ["lru"],
  goldenFile: "linear",
  equations: (read, state, x, hiddenSize) => {
    const [re, im]: [number[], number[]] = [[], []];
    for (let k = 0; k < hiddenSize; k++) {
      const [radius, phase] = [Math.exp(-Math.exp(read("nuLog", k))), Math.exp(read("thetaLog", k))];
      const [a, b] = [radius * Math.cos(phase), radius * Math.sin(phase)];
      const gamma = Math.exp(read("gammaLog", k));
      const [oldRe, oldIm] = [state.re![k]!, state.im![k]!];
      re[k] = a * oldRe - b * oldIm + gamma * rowTimes(read, "weightIh", k, x);
      im[k] = a * oldIm + b * oldRe + gamma * rowTimes(read, "weightIh", hiddenSize + k, x);
    }
    const y = re.map(
      (_, row) =>
        re.reduce((total, value, k) => total + read("weightHy", row, k) * value, 0) -
        im.reduce((total, value, k) => total + read("weightHy", row, hiddenSize + k) * value, 0) +
        rowTimes(read, "weightIy", row, x),
    );
    return { state: { re, im }, y };
  },
});
runLinearCellCases({ name: "lru", cell: lru({ inputSize: 3, hiddenSize: 4, outputSize: 2 }) });
for (const method of ["sequential", "associative"] as const) {
  runGoldenCase("lru", linearRecurrent(lru({ inputSize: 4, hiddenSize: 3 }), { method }), "linear");
}

describe("lru", () => {
  const ring = (options: Partial<LRUOptions>) => {
    const { nuLog, thetaLog, gammaLog } = lru({ inputSize: 1, hiddenSize: 4000, outputSize: 1, ...options }).init(
      randomKey(1),
      "float64",
    );
    return {
      radius: Array.from(nuLog.data, (value) => Math.exp(-Math.exp(value))),
      phase: Array.from(thetaLog.data, Math.exp),
      gamma: Array.from(gammaLog.data, Math.exp),
    };
  };
  const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

  test.each([
    [{}, 0, 0.99, 2 * Math.PI],
    [{ minRadius: 0.9, maxRadius: 0.999, maxPhase: 0.3 }, 0.9, 0.999, 0.3],
  ])("starts with factors spread over the area of its ring (%o)", (options, minRadius, maxRadius, maxPhase) => {
    const { radius, phase } = ring(options);
    expect(Math.min(...radius)).toBeGreaterThanOrEqual(minRadius);
    expect(Math.max(...radius)).toBeLessThanOrEqual(maxRadius + 1e-15);
    expect(Math.min(...phase)).toBeGreaterThan(0);
    expect(Math.max(...phase)).toBeLessThanOrEqual(maxPhase * (1 + 1e-15));
    // Uniform by area: |λ|² is uniform between the squares, the phase up to its maximum. 5 standard errors of a mean.
    const spread = maxRadius ** 2 - minRadius ** 2;
    const error = 5 / Math.sqrt(12 * 4000);
    expect(Math.abs(meanOf(radius.map((r) => r * r)) - (minRadius ** 2 + spread / 2))).toBeLessThan(error * spread);
    expect(Math.abs(meanOf(phase) - maxPhase / 2)).toBeLessThan(error * maxPhase);
  });

  test("starts with a normalisation of √(1 - |λ|²)", () => {
    const { radius, gamma } = ring({ minRadius: 0.5 });
    expectClose(f64(gamma), f64(radius.map((r) => Math.sqrt(1 - r * r))), 1e-12);
  });

  test("has at the start a state about as large as what enters it, whatever the radius", () => {
    for (const maxRadius of [0.5, 0.999]) {
      const cell = lru({ inputSize: 16, hiddenSize: 64, outputSize: 8, minRadius: maxRadius - 0.01, maxRadius });
      const layer = linearRecurrent(cell);
      const params = cell.init(randomKey(2));
      const carry = compile((xs: Tensor) => layer.apply(params, xs).carry)(numbers(3, [3000, 8, 16], "float32"));
      const power = meanOf(Array.from(carry.re.data, (re, k) => re ** 2 + carry.im.data[k]! ** 2));
      // Inputs in [-1, 1) have a variance of 1/3, as B x has: real and imaginary parts of variance 1/6 each.
      expect(power).toBeGreaterThan(0.8 / 3);
      expect(power).toBeLessThan(1.2 / 3);
    }
  });

  test("turns and shrinks its state by λ at each step without input", () => {
    const cell = lru({ inputSize: 1, hiddenSize: 1 });
    const params = {
      ...cell.init(randomKey(1), "float64"),
      nuLog: f64([Math.log(-Math.log(0.99))]),
      thetaLog: f64([Math.log(0.1)]),
    };
    const carry = { re: f64([1], [1, 1]), im: f64([0], [1, 1]) };
    const after = linearRecurrent(cell).apply(params, zeros([200, 1, 1], "float64"), { carry }).carry;
    const radius = 0.99 ** 200;
    const expected = { re: f64([radius * Math.cos(20)], [1, 1]), im: f64([radius * Math.sin(20)], [1, 1]) };
    expectClose(after, expected, 1e-12);
  });

  test("refuses rings that are none", () => {
    const make = (options: object) => () => lru({ inputSize: 1, hiddenSize: 1, ...options });
    expect(make({ maxRadius: 1 })).toThrow("lru: maxRadius must be a number greater than 0 and less than 1, but is 1");
    expect(make({ minRadius: -0.1 })).toThrow("lru: minRadius must be a number at least 0, but is -0.1");
    expect(make({ minRadius: 0.8, maxRadius: 0.7 })).toThrow(
      "lru: minRadius must be at most maxRadius, 0.7, but is 0.8",
    );
    expect(make({ maxPhase: 7 })).toThrow("lru: maxPhase must be a number greater than 0 and at most 6.28");
    expect(make({ outputSize: 0 })).toThrow("lru: outputSize must be a whole number of at least 1, but is 0");
  });
});
