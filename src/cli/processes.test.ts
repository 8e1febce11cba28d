import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  buildCommandLine,
  type Outcome,
  run,
  type Scratch,
  scratchFolder,
  start,
  untilRecords,
} from "../../test/command-line.js";

const STEPS = 400;
const ARGS = ["text.txt", "--hidden", "6", "--batch", "2", "--window", "8", "--dropout", "0.2", "--steps", `${STEPS}`];

let scratch: Scratch;
let executable: string;
let unbroken: Record<string, unknown>;

const at = (...names: string[]): string => join(scratch.path, ...names);
const launch = (...args: string[]) => start(executable, scratch.path, args);

/** What does not depend on time or place. */
function numbers({ stdout }: Outcome): Record<string, unknown> {
  const { seconds: _, tokensPerSecond: __, run: ___, ...rest } = JSON.parse(stdout);
  return rest;
}

beforeAll(async () => {
  scratch = scratchFolder();
  executable = buildCommandLine(scratch.path);
  writeFileSync(at("text.txt"), "a line of text, and another line of text.\n".repeat(10));
  const outcome = await launch("train", ...ARGS, "--out", "unbroken", "--json").ended;
  expect(outcome.code, outcome.stderr).toBe(0);
  unbroken = numbers(outcome);
});
afterAll(() => scratch.remove());

const sameModel = (path: string): boolean =>
  readFileSync(at(path, "model.safetensors")).equals(readFileSync(at("unbroken", "model.safetensors")));

describe("a training process", () => {
  test("killed, stopped and killed again, and resumed each time, ends like the unbroken one, byte for byte", async () => {
    const interrupted = async (running: ReturnType<typeof launch>, records: number, signal: NodeJS.Signals) => {
      await untilRecords(at("killed"), records);
      running.process.kill(signal);
      return (await running.ended).code;
    };
    const resume = (...more: string[]) => launch("train", "--resume", "--out", "killed", ...more);
    // Killed before and after a checkpoint was saved for sure.
    expect(await interrupted(launch("train", ...ARGS, "--out", "killed"), 60, "SIGKILL")).toBe(-1);
    expect(await interrupted(resume(), 100, "SIGINT")).toBe(130);
    expect(await interrupted(resume(), 200, "SIGKILL")).toBe(-1);
    const outcome = await resume("--json").ended;
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(Number(/resuming after step (\d+)/.exec(outcome.stderr)?.[1])).toBeGreaterThanOrEqual(100);
    expect(numbers(outcome)).toEqual(unbroken);
    expect(sameModel("killed")).toBe(true);
    const read = (path: string, name: string) => readFileSync(at(path, name), "latin1");
    expect(read("killed", "checkpoint/state.safetensors")).toBe(read("unbroken", "checkpoint/state.safetensors"));
    const metrics = read("killed", "metrics.jsonl").replaceAll(',"stopped":"aborted"', "");
    expect(metrics).toBe(read("unbroken", "metrics.jsonl"));
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "on %s saves, ends with 130 and prints the command to go on, which works",
    async (signal) => {
      const path = `stopped by ${signal}`;
      const stopped = launch("train", ...ARGS, "--out", path, "--json");
      await untilRecords(at(path), 40);
      stopped.process.kill(signal);
      const { code, stdout, stderr } = await stopped.ended;
      expect([code, stdout]).toEqual([130, ""]);
      expect(stderr).toContain("stopping after this step; Ctrl-C again to stop at once\n");
      const [, step, command] =
        /stopped at step (\d+) of 400, saved in .*; to go on:\n {2}npx through-time (.*)\n$/.exec(stderr)!;
      expect(Number(step)).toBeGreaterThanOrEqual(40);
      expect(existsSync(at(path, "checkpoint", "state.safetensors"))).toBe(true);

      // The printed line, as a shell reads it.
      const resumed = execFileSync(
        "sh",
        ["-c", `"${process.execPath}" "${executable}" ${command} --json 2>/dev/null`],
        {
          cwd: scratch.path,
          encoding: "utf8",
        },
      );
      expect(numbers({ code: 0, stdout: resumed, stderr: "" })).toEqual(unbroken);
      expect(sameModel(path)).toBe(true);
    },
  );

  test("shows no escape codes where there is no terminal", async () => {
    const { code, stderr } = await launch("train", "--resume", "--out", "unbroken").ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain("\u001b");
  });

  test("goes on when nobody reads its progress any more", async () => {
    const running = launch("train", ...ARGS, "--steps", "20", "--out", "unread");
    running.process.stderr!.once("data", () => running.process.stderr!.destroy());
    expect((await running.ended).code).toBe(0);
    expect(existsSync(at("unread", "model.safetensors"))).toBe(true);
    expect(readFileSync(at("unread", "metrics.jsonl"), "utf8").trimEnd().split("\n").length).toBe(20);
  });
});

describe("other processes", () => {
  test("generate takes a reader that has seen enough as no error", () => {
    const command = `"${process.execPath}" "${executable}" generate unbroken --length 20000; echo "code $?" >&2`;
    const script = `(${command}) 2>err.txt | head -c 1`;
    expect(execFileSync("sh", ["-c", script], { cwd: scratch.path, encoding: "utf8" }).length).toBe(1);
    expect(readFileSync(at("err.txt"), "utf8")).toBe("code 0\n");
  });

  test("exit codes leave the process: 0, 1 for files, 2 for usage", async () => {
    const codes = [["--version"], ["inspect", "none"], ["train", "--hiden", "1"]].map((args) => launch(...args).ended);
    expect((await Promise.all(codes)).map(({ code }) => code)).toEqual([0, 1, 2]);
  });

  test("the model is the one that the library, in this process, evaluates alike", async () => {
    const { stdout } = await launch("evaluate", "unbroken", "text.txt", "--json").ended;
    const here = await run("evaluate", at("unbroken"), at("text.txt"), "--json");
    const own = JSON.parse(stdout) as Record<string, unknown>;
    const expected = Object.entries({ ...JSON.parse(here.stdout), run: "unbroken", file: "text.txt" });
    expect(Object.keys(own)).toEqual(expected.map(([name]) => name));
    // The other process has only what is in dist/, so its kernels may be others than those here.
    for (const [name, value] of expected) {
      if (typeof value === "number") expect(own[name], name).toBeCloseTo(value, 6);
      else expect(own[name], name).toEqual(value);
    }
  });
});
