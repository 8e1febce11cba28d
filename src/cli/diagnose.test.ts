/** `through-time diagnose`: what it prints and writes, and which text it reads. */

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, run, type Scratch, scratchFolder } from "../../test/command-line.js";
import type { Diagnosis } from "../tasks/index.js";

const TEXT = "a line of text, and another line of text.\n".repeat(8);
const SMALL = ["--hidden", "4", "--batch", "2", "--window", "8", "--steps", "4"];
const before = process.cwd();
let scratch: Scratch;

const succeeds = async (...args: string[]): Promise<Outcome> => {
  const outcome = await run(...args);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: outcome.stderr });
  return outcome;
};
const diagnosisOf = async (...args: string[]): Promise<Diagnosis & { run: string; file?: string }> =>
  JSON.parse((await succeeds("diagnose", ...args, "--json")).stdout);

beforeAll(async () => {
  scratch = scratchFolder();
  process.chdir(scratch.path);
  writeFileSync("text.txt", TEXT);
  writeFileSync("other.txt", TEXT.slice(0, 20));
  await succeeds("train", "text.txt", ...SMALL, "--out", "lstm", "--layers", "2");
  await succeeds("train", "text.txt", ...SMALL, "--out", "elman", "--cell", "elman", "--validation", "0");
});
afterAll(() => {
  process.chdir(before);
  scratch.remove();
});

describe("diagnose", () => {
  test("prints gradients, Jacobians, the exponent, radii and gates, in 80 columns", async () => {
    const { stdout } = await succeeds("diagnose", "lstm", "--steps", "6");
    const lines = stdout.split("\n");
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(80);
    expect(lines[0]).toBe("33 characters read; Jacobians of the last 6 steps, for 16 numbers of state");
    expect(stdout).toContain("o largest   x median\n");
    expect(stdout).toMatch(/^steps +median +largest\n1 .*\n2 .*\n4 .*\n6 /m);
    expect(stdout).toMatch(
      /^largest Lyapunov exponent +-0\.\d+ nats a step\na small difference of the state shrinks 2\.7 times in /m,
    );
    expect(stdout).toMatch(/^layer +block +radius\n(0 +[ifgo] +\d\.\d{3}\n){4}(1 +[ifgo] +\d\.\d{3}\n){4}/m);
    expect(stdout).toMatch(/^layer +gate +shut +open +mean\n(\d +[fio] +[\d.]+ % +[\d.]+ % +0\.\d{3}\n){6}$/m);
    expect(stdout).not.toContain("\u001b");
  });

  test("--json prints one line, and --out writes the same with the pictures", async () => {
    const printed = await succeeds("diagnose", "lstm", "--steps", "3", "--json", "--out", "here/too");
    expect(printed.stdout.split("\n").length).toBe(2);
    expect(readdirSync("here/too").sort()).toEqual(["diagnosis.json", "gates.svg", "gradient.svg", "jacobians.svg"]);
    expect(readFileSync("here/too/diagnosis.json", "utf8")).toBe(printed.stdout);
    const found = JSON.parse(printed.stdout) as Diagnosis;
    expect(found).toMatchObject({ run: "lstm", tokens: 33, carrySize: 16, steps: 3 });
    expect(found.gates.map(({ open }) => open.length)).toEqual([4, 4, 4, 4, 4, 4]);
    for (const name of ["gates", "gradient", "jacobians"]) {
      expect(readFileSync(`here/too/${name}.svg`, "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    }
    expect((await succeeds("diagnose", "lstm", "--steps", "3", "--json")).stdout).toBe(printed.stdout);
  });

  test("reads the validation part, or a file, up to the end of the window", async () => {
    writeFileSync("validation.txt", TEXT.slice(-34));
    const { run: _, ...own } = await diagnosisOf("lstm");
    const { run: __, file, ...same } = await diagnosisOf("lstm", "validation.txt");
    expect([same, file]).toEqual([own, "validation.txt"]);
    expect(await diagnosisOf("lstm", "other.txt")).toMatchObject({ tokens: 19, steps: 19 });
    expect(await diagnosisOf("lstm", "text.txt", "--window", "50")).toMatchObject({ tokens: 50, steps: 32 });
  });

  test("of a cell without gates draws no picture of them", async () => {
    const { stdout } = await succeeds("diagnose", "elman", "other.txt", "--out", "plain");
    expect(stdout).not.toContain("gates");
    expect(stdout).toMatch(/^0 +all +\d\.\d{3}$/m);
    expect(readdirSync("plain").sort()).toEqual(["diagnosis.json", "gradient.svg", "jacobians.svg"]);
  });

  test("says when the run's own text cannot be used", async () => {
    const refusal = async (path: string) => {
      const { code, stdout, stderr } = await run("diagnose", path);
      expect([code, stdout]).toEqual([1, ""]);
      return stderr;
    };
    expect(await refusal("elman")).toBe('error: the run in "elman" kept no text for validation; name a text file\n');
    writeFileSync("text.txt", TEXT.toUpperCase());
    expect(await refusal("lstm")).toBe(
      'error: the text of the run in "lstm" has changed since it was started; name a text file\n',
    );
    rmSync("text.txt");
    expect(await refusal("lstm")).toMatch(
      /^error: the text of the run in "lstm" cannot be read: there is no file "text\.txt".*; or name a text file\n$/,
    );
    writeFileSync("text.txt", TEXT);
  });
});
