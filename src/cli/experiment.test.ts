import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run, type Scratch, scratchFolder } from "../../test/command-line.js";
import { EXPERIMENTS, experimentsByName } from "../experiments/index.js";

const before = process.cwd();
const SHORT = ["elman-1990/xor", "--effort", "0.002"];
let scratch: Scratch;

beforeAll(() => {
  scratch = scratchFolder();
  process.chdir(scratch.path);
});
afterAll(() => {
  process.chdir(before);
  scratch.remove();
});

const readResult = (folder: string) => JSON.parse(readFileSync(`${folder}/result.json`, "utf8"));

describe("experiment list", () => {
  test("shows each experiment with its source, with and without --json", async () => {
    const { code, stdout } = await run("experiment", "list");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^elman-1990\/xor +Exclusive or in time \(Elman 1990\)$/m);
    const listed = JSON.parse((await run("experiment", "list", "--json")).stdout) as { id: string; figures: object }[];
    expect(listed.map(({ id }) => id)).toEqual(EXPERIMENTS.map(({ id }) => id));
    expect(listed[1]?.figures).toEqual(EXPERIMENTS[1]?.figures);
  });
});

describe("experiment run", () => {
  test("--json ends with one line: successes, figures over seeds, the literature's, and each run", async () => {
    const { code, stdout, stderr } = await run("experiment", "run", ...SHORT, "--seeds", "2", "--json");
    expect(code).toBe(0);
    expect(stdout.trimEnd()).not.toContain("\n");
    const { figures, seconds, runs, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({
      id: "elman-1990/xor",
      cell: "elman",
      effort: 0.002,
      seeds: 2,
      successes: 0,
      paper: {},
    });
    expect(runs.map(({ seed }: { seed: number }) => seed)).toEqual([1, 2]);
    const [a, b] = runs.map((one: { figures: { random: number } }) => one.figures.random);
    expect(figures.random).toEqual({
      mean: expect.closeTo((a + b) / 2, 12),
      median: expect.closeTo((a + b) / 2, 12),
      least: Math.min(a, b),
      most: Math.max(a, b),
    });
    expect(seconds).toBeGreaterThan(0);
    expect(stderr).toMatch(/^seed 2: missed the aim after 0:00$/m);
  });

  test("--json tells presentations and wrong answers under the names that tables of them use", async () => {
    const { stdout } = await run("experiment", "run", "lstm-1997/6a", "--seeds", "1", "--effort", "0.001", "--json");
    const told = JSON.parse(stdout);
    // No run succeeds so soon, and presentations are those of successes.
    expect(told).toMatchObject({ seeds: 1, successes: 0, meanPresentations: null, medianPresentations: null });
    expect(told.wrongOf2560).toBe(told.runs[0].figures.wrong);
    expect(told.paper).toMatchObject({ presentations: 31390, wrong: 1 });
  });

  test("without --json shows ours, the aim and the literature's in a table", async () => {
    const { stdout } = await run("experiment", "run", ...SHORT, "--seeds", "1");
    expect(stdout).toMatch(/^Exclusive or in time: 0 of 1 seed reached the aim, in 0:0\d$/m);
    expect(stdout).toMatch(/^ +mean +median +least to most +aim +literature$/m);
    expect(stdout).toMatch(/^squared error at the two random bits\n +0\.\d+ +0\.\d+ +0\.\d+ +0\.2778 \(derived\)$/m);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("--out saves the result; seeds that are there already are kept, and all add up", async () => {
    expect((await run("experiment", "run", ...SHORT, "--seeds", "2", "--out", "runs/xor")).code).toBe(0);
    const first = readResult("runs/xor");
    expect(first).toMatchObject({ id: "elman-1990/xor", cell: "elman", effort: 0.002, seeds: 2, successes: 0 });
    first.runs[0].figures.random = 0.5;
    writeFileSync("runs/xor/result.json", JSON.stringify(first));

    const longer = await run("experiment", "run", ...SHORT, "--seeds", "3", "--out", "runs/xor", "--json");
    expect(longer.stderr).toContain("2 of the seeds are done already\n");
    expect(JSON.parse(longer.stdout).figures.random.most).toBe(0.5);
    const all = readResult("runs/xor");
    expect(all.runs.map(({ seed }: { seed: number }) => seed)).toEqual([1, 2, 3]);
    expect(all.runs[1]).toEqual(first.runs[1]);

    const fewer = await run("experiment", "run", ...SHORT, "--seeds", "1", "--out", "runs/xor", "--json");
    expect(JSON.parse(fewer.stdout)).toMatchObject({ seeds: 1, figures: { random: { mean: 0.5 } } });
    expect(readResult("runs/xor")).toEqual(all);
  });

  test.each<[what: string, code: 1 | 2, args: string[], sentence: string]>([
    [
      "an unknown experiment",
      2,
      ["elman-1990/xro"],
      'there is no experiment or group of them "elman-1990/xro"; did you mean elman-1990/xor? "through-time experiment list" shows',
    ],
    ["an unknown group", 2, ["elman-190"], "did you mean elman-1990?"],
    [
      "a cell that does not fit one of a group",
      2,
      ["lstm-1997", "--cell", "elman"],
      'cannot be run with the cell "elman"',
    ],
    ["a cell that does not fit", 2, ["elman-1990/xor", "--cell", "gru"], 'cannot be run with the cell "gru"'],
    ["no seed", 2, ["elman-1990/xor", "--seeds", "0"], "seeds must be a whole number of at least 1"],
    [
      "an effort above 1",
      2,
      ["elman-1990/xor", "--effort", "2"],
      "effort must be a number greater than 0 and at most 1",
    ],
    [
      "the folder of another effort",
      1,
      ["elman-1990/xor", "--out", "runs/xor"],
      'the result in "runs/xor" has effort 0.002, not 1',
    ],
    [
      "a folder with other files",
      1,
      [...SHORT, "--out", "other"],
      '"other" holds no result of an experiment (no result.json), but other files ("notes.txt")',
    ],
    ["a damaged result", 1, [...SHORT, "--out", "damaged"], '"damaged/result.json" is damaged'],
  ])("refuses %s with one sentence", async (_, code, args, sentence) => {
    mkdirSync("other", { recursive: true });
    mkdirSync("damaged", { recursive: true });
    writeFileSync("other/notes.txt", "");
    writeFileSync("damaged/result.json", '{"id": 3}');
    const outcome = await run("experiment", "run", ...args);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toContain(sentence);
    expect(outcome.stderr).toMatch(/^error: [^\n]*\n$/);
  });
});

describe("a group of experiments", () => {
  const group = ["elman-1990", "--effort", "0.002", "--seeds", "1", "--out", "runs/elman"];

  test("is run one after the other, each with a folder and a line of its own; the report has one table", async () => {
    const { code, stdout, stderr } = await run("experiment", "run", ...group, "--json");
    expect(code).toBe(0);
    const results = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(results.map(({ id }) => id)).toEqual(["elman-1990/xor", "elman-1990/letters"]);
    expect(stderr).toMatch(/^elman-1990\/xor\n[\s\S]*\nelman-1990\/letters\nseed 1: /);
    expect(readResult("runs/elman/xor").figures).toEqual(results[0].figures);

    expect((await run("experiment", "report", "runs/elman")).stdout).toBe("runs/elman/report.md\n");
    const report = readFileSync("runs/elman/report.md", "utf8");
    expect(report).toContain(
      "| [`elman-1990/xor`](xor/report.md) | 0 of 1 | squared error at the third bit | 0.1111 (derived) | ",
    );
    expect(report).toContain("| [`elman-1990/letters`](letters/report.md) | ");
    expect(existsSync("runs/elman/letters/curves.svg")).toBe(true);
    // The same command goes on where it ended.
    expect((await run("experiment", "run", ...group)).stderr).toBe(
      "elman-1990/xor\n1 of the seeds are done already\nelman-1990/letters\n1 of the seeds are done already\n",
    );
  });

  test("has what is right inside it, or what stands for it, and nothing below", () => {
    const names = experimentsByName("lstm-1997").map(({ id }) => id.slice("lstm-1997/".length));
    expect(names).toEqual([
      ...["1/tolerant", "2a/cross-entropy", "2b/cross-entropy", "2c/no-recurrent-weights", "3a", "3b", "3c"],
      ...["4/linear", "5", "6a", "6b", "delayed-xor"],
    ]);
    expect(experimentsByName("lstm-1997/4").map(({ id }) => id)).toEqual(["lstm-1997/4"]);
  });

  test("has a folder for each, right inside its own", async () => {
    const folder = ["--effort", "1e-5", "--seeds", "1", "--out", "runs/1997"];
    expect((await run("experiment", "run", "lstm-1997", ...folder)).code).toBe(0);
    expect(readResult("runs/1997/4-linear").id).toBe("lstm-1997/4/linear");
    await run("experiment", "report", "runs/1997");
    expect(readFileSync("runs/1997/report.md", "utf8")).toContain("[`lstm-1997/1/tolerant`](1-tolerant/report.md)");
  });
});

describe("experiment report", () => {
  test("writes Markdown and a picture beside the result", async () => {
    await run("experiment", "run", ...SHORT, "--seeds", "2", "--out", "runs/reported");
    const { code, stdout } = await run("experiment", "report", "runs/reported");
    expect([code, stdout]).toEqual([0, "runs/reported/report.md\n"]);
    expect(readFileSync("runs/reported/report.md", "utf8")).toContain("0 of 2 seeds reached the aim");
    expect(readFileSync("runs/reported/curves.svg", "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  test("refuses a folder without a result", async () => {
    const outcome = await run("experiment", "report", "nowhere");
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toContain('there is no result in "nowhere"');
    expect(existsSync("nowhere")).toBe(false);
  });
});

test("an unknown command of experiment is an error with a suggestion; --help shows examples", async () => {
  expect(await run("experiment", "lst")).toMatchObject({ code: 2, stdout: "" });
  expect((await run("experiment", "lst")).stderr).toBe("error: unknown command 'lst'\n(Did you mean list?)\n");
  const { code, stdout } = await run("experiment", "--help");
  expect(code).toBe(0);
  expect(stdout).toMatch(/Examples:\n {2}\$ through-time experiment list/);
});
