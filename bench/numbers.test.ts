/** The hashed numbers are those that every peer starts from. */

import { expect, test } from "vitest";
import { hashedNumbers, inputNumbers, layerWeights, meanAbsolute, readoutWeights } from "./numbers.js";
import { type RecurrentWorkload, WORKLOADS } from "./workloads.js";

const named = (name: string) => WORKLOADS.find((workload) => workload.name === name) as RecurrentWorkload;

test("hashedNumbers gives the golden numbers", () => {
  expect([...hashedNumbers(4, 1, 1)]).toEqual([
    0.370084285736084, 0.18554414808750153, 0.8732573986053467, 0.40892958641052246,
  ]);
  expect([...hashedNumbers(5, 903, 1)]).toEqual([
    -0.567301332950592, 0.16606073081493378, 0.4809420108795166, -0.6570074558258057, 0.2106231302022934,
  ]);
  expect(hashedNumbers(1000, 904, 0.5)[999]).toBe(-0.13381755352020264);
});

test("each weight has its seed and its scale", () => {
  const workload = named("train-peephole-S");
  const { input, recurrent, bias, peepholes } = layerWeights(workload, 0);
  expect([input[7], recurrent[11], bias[3]]).toEqual([
    -0.00547392200678587, -0.07900533825159073, -0.014234315603971481,
  ]);
  expect([peepholes[0]?.[0], peepholes[1]?.[1], peepholes[2]?.[127]]).toEqual([
    -0.008165118284523487, -0.06045940890908241, -0.029620662331581116,
  ]);
  expect(readoutWeights(workload).weight[5]).toBe(0.034380409866571426);
  expect(inputNumbers(workload)[4242]).toBe(0.418623685836792);
  const second = layerWeights(named("train-lstm-ptb"), 1);
  expect([second.input[1], second.recurrent[2]]).toEqual([-0.04960377886891365, -0.054760295897722244]);
});

test("meanAbsolute takes signs away", () => {
  expect(meanAbsolute(Float32Array.of(1, -2, 3, -4))).toBe(2.5);
});
