import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildCommandLine, type Outcome, type Scratch, scratchFolder, start } from "../../test/command-line.js";

let scratch: Scratch;
let executable: string;
const run = (...args: string[]): Promise<Outcome> => start(executable, scratch.path, ["experiment", ...args]).ended;

beforeAll(() => {
  scratch = scratchFolder();
  executable = buildCommandLine(join(scratch.path, "package"));
}, 60_000);
afterAll(() => scratch.remove());

/** What does not depend on time. */
const figuresOf = ({ stdout }: Outcome) =>
  JSON.parse(stdout).runs.map(({ seed, figures }: { seed: number; figures: object }) => ({ seed, figures }));

test("--threads runs seeds side by side, with the same figures", async () => {
  const args = ["run", "elman-1990/letters", "--effort", "0.02", "--seeds", "3", "--json"];
  const [one, two] = [await run(...args), await run(...args, "--threads", "2")];
  expect([one.code, two.code]).toEqual([0, 0]);
  expect(figuresOf(two)).toEqual(figuresOf(one));
}, 30_000);

test.each(["1", "2"])(
  "Ctrl-C on %s threads keeps the seeds that are done, and the same command goes on",
  async (threads) => {
    const folder = `stopped-${threads}`;
    const args = ["run", "elman-1990/xor", "--seeds", "40", "--effort", "0.02", "--threads", threads, "--out", folder];
    const running = start(executable, scratch.path, ["experiment", ...args]);
    const result = join(scratch.path, folder, "result.json");
    while (!existsSync(result)) await new Promise((resolve) => setTimeout(resolve, 5));
    running.process.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toMatch(/stopped after \d+ seeds?; to go on, give the same command again, with --out stopped-/);
    const done = JSON.parse(readFileSync(result, "utf8")).seeds;
    expect(done).toBeLessThan(40);
    const rest = await run(...args.slice(0, 3), String(done + 1), ...args.slice(4), "--json");
    expect(rest.stderr).toMatch(/^\d+ of the seeds are done already$/m);
    expect(JSON.parse(rest.stdout).seeds).toBe(done + 1);
  },
  60_000,
);
