/** The command line in tests: in this process, or as a process of its own on a build made once. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommandLine } from "../src/cli/program.js";

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that is removed by `remove`. */
export interface Scratch {
  readonly path: string;
  remove(): void;
}

/** Makes an empty folder for files and runs. */
export function scratchFolder(): Scratch {
  const path = mkdtempSync(join(tmpdir(), "through-time-cli-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs a command in this process. */
export async function run(...args: string[]): Promise<Outcome> {
  const output = { stdout: "", stderr: "" };
  const [originalOut, originalError, exitCode] = [process.stdout.write, process.stderr.write, process.exitCode];
  const into = (name: "stdout" | "stderr") => (text: string | Uint8Array) => {
    output[name] += typeof text === "string" ? text : new TextDecoder().decode(text);
    return true;
  };
  process.exitCode = undefined;
  process.stdout.write = into("stdout") as typeof process.stdout.write;
  process.stderr.write = into("stderr") as typeof process.stderr.write;
  try {
    return { code: await runCommandLine(args), ...output };
  } finally {
    process.stdout.write = originalOut;
    process.stderr.write = originalError;
    process.exitCode = exitCode;
  }
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** Compiles `src` into a folder as it is published, without checking types. @returns the path of the executable */
export function buildCommandLine(folder: string): string {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const output = ["--outDir", join(folder, "dist"), "--noCheck", "--declaration", "false", "--sourceMap", "false"];
  const settings = [...output, "--inlineSources", "false"];
  execFileSync(process.execPath, [compiler, "-p", join(root, "tsconfig.build.json"), ...settings]);
  copyFileSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return join(folder, "dist", "cli", "main.js");
}

/** A command as a process of its own. */
export interface Running {
  readonly process: ChildProcess;
  /** How it ended; code -1 if a signal killed it. */
  readonly ended: Promise<Outcome>;
}

/** Starts a command with the executable of `buildCommandLine`. */
export function start(executable: string, cwd: string, args: readonly string[]): Running {
  const child = spawn(process.execPath, [executable, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<Outcome>((resolve) => {
    child.on("close", (code) => resolve({ code: code ?? -1, ...output }));
  });
  return { process: child, ended };
}

/** Waits until a run's metrics hold so many records. */
export async function untilRecords(runPath: string, count: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      if (readFileSync(join(runPath, "metrics.jsonl"), "utf8").split("\n").length > count) return;
    } catch {
      // Not there yet.
    }
    if (performance.now() > deadline) throw new Error(`${runPath} has no ${count} records after 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
