/** The benchmark as a command, on a build of its own: figures for a tiny workload. */

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildCommandLine, type Scratch, scratchFolder } from "../test/command-line.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const BUILD_MS = 60_000;
/** PyTorch's, from the same start. */
const LOSSES = [0.378483, 0.357737, 0.338152];
let scratch: Scratch;

beforeAll(() => {
  scratch = scratchFolder();
  buildCommandLine(scratch.path);
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const output = ["--outDir", join(scratch.path, "bench", "dist"), "--noCheck"];
  execFileSync(process.execPath, [compiler, "-p", join(root, "bench", "tsconfig.json"), ...output]);
}, BUILD_MS);
afterAll(() => scratch.remove());

test("a workload gives one line of JSON, which the file gets, too", () => {
  const [main, out] = [join(scratch.path, "bench", "dist", "main.js"), join(scratch.path, "results.jsonl")];
  const only = ["--only", "train-lstm-tiny", "--kernels", "reference", "--peers", "none", "--rounds", "1"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...only, "--json", "--out", out], {
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  expect(readFileSync(out, "utf8")).toBe(stdout);
  const line = JSON.parse(stdout) as Record<string, unknown>;
  expect(line).toMatchObject({
    workload: "train-lstm-tiny",
    peer: "ours",
    kernels: "reference",
    threads: 1,
    ms: expect.any(Number),
    gflops: expect.any(Number),
    compileMs: expect.any(Number),
    ratio: {},
  });
  const losses = line.check as number[];
  LOSSES.forEach((loss, step) => {
    expect(losses[step]).toBeCloseTo(loss, 5);
  });
});
