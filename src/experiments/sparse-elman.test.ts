import { expect, test } from "vitest";
import { spectralRadius } from "../learn/index.js";
import { randomKey } from "../ops/index.js";
import { sparseElman } from "./sparse-elman.js";

test("sparseElman starts with 15 recurrent weights a unit, of spectral radius .95, and small weights of inputs", () => {
  const { weightIh, weightHh, bias } = sparseElman({ inputSize: 6, hiddenSize: 50 }).init(randomKey(1));
  expect([weightIh.shape, weightHh.shape, bias.shape]).toEqual([[50, 6], [50, 50], [50]]);
  expect(spectralRadius(weightHh)).toBeCloseTo(0.95, 5);
  const connections = weightHh.data.filter((weight) => weight !== 0).length / 50;
  expect(Math.abs(connections - 15)).toBeLessThan(1.9); // four standard errors
  const deviation = Math.hypot(...weightIh.data) / Math.sqrt(300);
  expect(Math.abs(deviation - 0.01)).toBeLessThan(0.0017);
  expect(bias.data.every((weight) => weight === 0)).toBe(true);
});
