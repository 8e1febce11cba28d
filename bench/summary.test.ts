/** Medians, and what disturbed samples do to them. */

import { expect, test } from "vitest";
import { disagreement } from "./agreement.js";
import { median, summarize } from "./summary.js";
import { WORKLOADS, type Workload } from "./workloads.js";

const sample = (wall: number, cpu = wall) => ({ wall, cpu });

test("the median is the middle one", () => {
  expect(median([5, 1, 3])).toBe(3);
});

test("disturbed samples do not count", () => {
  const samples = [sample(2), sample(3), sample(4), sample(90, 3), sample(80, 3)];
  expect(summarize(samples, 1)).toEqual({ ms: 3, samples: 5, disturbed: 2, basis: "wall" });
});

test("where nearly all are disturbed, processor time stands in", () => {
  const samples = [sample(9, 4), sample(8, 5), sample(7, 6), sample(5)];
  expect(summarize(samples, 1)).toEqual({ ms: 5, samples: 4, disturbed: 3, basis: "cpu" });
});

test("with several threads all samples count", () => {
  expect(summarize([sample(9, 4), sample(8, 15), sample(7, 6)], 2)).toMatchObject({ ms: 8, disturbed: 0 });
});

test("losses that differ by more than rounding are named", () => {
  const named = (name: string) => WORKLOADS.find((workload) => workload.name === name) as Workload;
  const lstm = named("train-lstm-S");
  expect(disagreement(lstm, [0.5, 0.4, 0.3], [0.5001, 0.4001, 0.3001])).toBeUndefined();
  expect(disagreement(lstm, [0.5, 0.4, 0.3], [0.5, 0.4, 0.31])).toBe(
    "ours 0.500000 0.400000 0.300000, theirs 0.500000 0.400000 0.310000",
  );
  expect(disagreement(lstm, [Number.NaN], [0.5])).toBeDefined();
  expect(disagreement(lstm, [0.5], [])).toBeUndefined();
  expect(disagreement(named("train-lnlstm-S"), [0.5, 0.4], [0.5, 0.9])).toBeUndefined();
});
