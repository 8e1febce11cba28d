/** What wrong usage of the benchmark says. */

import { afterEach, expect, test, vi } from "vitest";
import { runBenchmark } from "./run.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  [["--only", "train-lstm-XL"], 'There is no workload "train-lstm-XL"; did you mean train-lstm-L?'],
  [["--only", "train-lstm-S,nothing"], 'There is no workload "nothing"'],
  [["--kernels", "wasn"], 'There is no set of kernels "wasn"; did you mean wasm?'],
  [["--peers", "pytorch,tensorflow"], 'There is no peer "tensorflow"'],
  [["--rounds", "0"], "rounds must be a whole number of at least 1."],
  [["--threads", "two"], "threads must be a whole number of at least 1."],
  [["--quick"], "unknown option '--quick'"],
  [["--out", "/nowhere/results.jsonl"], '"/nowhere/results.jsonl" cannot be written'],
  [["train-lstm-S"], "too many arguments"],
])("wrong usage ends with code 2 and a sentence: %j", async (args, sentence) => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  expect(await runBenchmark(args)).toBe(2);
  expect(written.mock.calls.join("")).toContain(sentence);
});
