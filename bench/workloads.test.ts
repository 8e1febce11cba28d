/** Names, sizes and counts of operations. */

import { describe, expect, test } from "vitest";
import { computedFlops, nominalFlops, WORKLOADS, type Workload } from "./workloads.js";

const named = (name: string): Workload => WORKLOADS.find((workload) => workload.name === name) as Workload;

test("workloads have names of their own, which tell kind and cell", () => {
  expect(new Set(WORKLOADS.map(({ name }) => name)).size).toBe(20);
  for (const workload of WORKLOADS) {
    const start = workload.kind === "gemm" ? "gemm" : `${workload.kind}-${workload.cell}`;
    expect(workload.name.startsWith(`${start}-`), workload.name).toBe(true);
  }
});

describe("the usual count of operations", () => {
  test.each([
    ["gemm-rec-M", 16_777_216],
    ["train-lstm-tiny", 614_400],
    ["train-lstm-M", 7_549_747_200],
    ["train-lstm-ptb", 2_688_000_000],
    ["train-gru-M", 5_662_310_400],
    ["train-rnn-M", 1_887_436_800],
    ["step-lstm-512", 4_194_304],
    ["seq-lstm-L", 13_421_772_800],
  ])("of %s is %d", (name, flops) => {
    expect(nominalFlops(named(name))).toBe(flops);
  });
});

describe("the count of what is computed", () => {
  test("leaves out the gradient of the first layer's input alone", () => {
    // 2 T B G H times: forward I+H, backward H, gradients of the weights I+H
    expect(computedFlops(named("train-lstm-S"))).toBe(2 * 50 * 32 * 4 * 128 * (192 + 128 + 192));
    // two layers, I = H = 200: five products of the first, six of the second
    expect(computedFlops(named("train-lstm-ptb"))).toBe(2 * 35 * 20 * 4 * 200 * 200 * (5 + 6));
  });

  test("is the usual one without training", () => {
    for (const name of ["gemm-1024", "step-lstm-64", "seq-lstm-M"]) {
      expect(computedFlops(named(name))).toBe(nominalFlops(named(name)));
    }
  });
});
