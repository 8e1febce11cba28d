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
const LOSSES = {
  "train-lstm-tiny": [0.378483, 0.357737, 0.338152],
  "train-lstm-S": [0.349661, 0.348802, 0.347962],
} as const;
let scratch: Scratch;

beforeAll(() => {
  scratch = scratchFolder();
  buildCommandLine(scratch.path);
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const output = ["--outDir", join(scratch.path, "bench", "dist"), "--noCheck"];
  execFileSync(process.execPath, [compiler, "-p", join(root, "bench", "tsconfig.json"), ...output]);
}, BUILD_MS);
afterAll(() => scratch.remove());

/** Runs a script of the folder. */
const runScript = (name: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(scratch.path, "bench", "dist", name), ...args], { encoding: "utf8" });

/** Runs the benchmark without peers, for one round. */
const benchmark = (...args: string[]) => runScript("main.js", "--peers", "none", "--rounds", "1", "--json", ...args);

function expectLosses(line: Record<string, unknown>, workload: keyof typeof LOSSES): void {
  const losses = line.check as number[];
  LOSSES[workload].forEach((loss, step) => {
    expect(losses[step]).toBeCloseTo(loss, 5);
  });
}

test("a workload gives one line of JSON, which the file gets, too", () => {
  const out = join(scratch.path, "results.jsonl");
  const { status, stdout, stderr } = benchmark("--only", "train-lstm-tiny", "--kernels", "reference", "--out", out);
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
  expectLosses(line, "train-lstm-tiny");
});

test("on two threads, WebAssembly trains in two shards; what runs on one thread says so", () => {
  const only = ["--only", "train-lstm-S,step-lstm-64"];
  const { status, stdout, stderr } = benchmark(...only, "--kernels", "wasm", "--threads", "2");
  expect([status, stderr]).toEqual([0, ""]);
  const [training, streaming] = stdout
    .trim()
    .split("\n", 2)
    .map((line) => JSON.parse(line));
  expect(training).toMatchObject({ workload: "train-lstm-S", kernels: "wasm", threads: 2 });
  expectLosses(training, "train-lstm-S");
  expect(streaming).toMatchObject({ workload: "step-lstm-64", kernels: "wasm", threads: 1 });
});

test("kernels without threads are not measured on several", () => {
  const only = ["--only", "train-lstm-S", "--kernels", "reference"];
  const { status, stdout, stderr } = benchmark(...only, "--threads", "2");
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toBe("ours: not measured on train-lstm-S: the reference kernels have no threads\n");
});

test("the endless stream tells ten times for each method what is held, and that it learns", () => {
  const { status, stdout, stderr } = runScript("endless-stream.js", "--steps", "20000", "--json");
  expect([status, stderr]).toEqual([0, ""]);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ steps }) => steps)).toEqual(Array.from({ length: 30 }, (_, k) => 2000 * ((k % 10) + 1)));
  for (const first of [0, 10, 20]) {
    expect(lines[first + 9].loss).toBeLessThan(0.9 * lines[first].loss);
    expect(lines[first].updateArenaKiB).toBeGreaterThan(lines[first].stateKiB);
    expect(lines[first].residentMiB).toBeGreaterThan(lines[first].heapMiB);
  }
});
