/** A measured process: started, asked, and ended, from the side of the benchmark. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import type { Measured, MeasureRequest, PrepareRequest, Ready, Unable } from "./protocol.js";

/** The last lines that a process wrote about its trouble. */
const KEPT_ERROR_LINES = 20;

/** Binds a command to the last core where there is `taskset`; the benchmark itself is idle meanwhile. */
export function pinned(command: readonly string[]): readonly string[] {
  const pin = ["taskset", "-c", String(cpus().length - 1)] as const;
  const { status } = spawnSync(pin[0], [...pin.slice(1), process.execPath, "--version"], { stdio: "ignore" });
  return status === 0 ? [...pin, ...command] : command;
}

/** The environment of measured processes: so many threads, and nothing that would force a library's slower code. */
export function environmentFor(threads: number): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...inherited } = process.env;
  const count = String(threads);
  return {
    ...inherited,
    OMP_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    JAX_PLATFORMS: "cpu",
    XLA_FLAGS: `--xla_cpu_multi_thread_eigen=${threads > 1} intra_op_parallelism_threads=${count}`,
    PYTHONDONTWRITEBYTECODE: "1",
    // Otherwise the thread pools of PyTorch spin against each other.
    ...(threads > 1 && { OMP_WAIT_POLICY: "passive" }),
  };
}

/** One child process that answers one request at a time. */
export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #errors: string[] = [];
  #waiting: ((reply: object) => void) | undefined;

  constructor([program, ...args]: readonly string[], environment: NodeJS.ProcessEnv) {
    this.#child = spawn(program as string, args, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      if (line.startsWith("{")) this.#answer(JSON.parse(line) as object);
    });
    createInterface({ input: this.#child.stderr! }).on("line", (line) => {
      this.#errors.push(line);
      if (this.#errors.length > KEPT_ERROR_LINES) this.#errors.shift();
    });
    this.#child.on("error", ({ message }) => this.#answer({ unable: message }));
    this.#child.on("close", (code, signal) => {
      const last = this.#errors.findLast((line) => line.trim() !== "");
      this.#answer({ unable: `the process ended with ${signal ?? `status ${code}`}${last ? `: ${last.trim()}` : ""}` });
    });
    this.#child.stdin!.on("error", () => {
      // It has ended; `close` tells why.
    });
  }

  /** Builds the workload and warms up. */
  prepare(request: PrepareRequest): Promise<Ready | Unable> {
    return this.#ask(request);
  }

  /** Measures for some milliseconds, one call at least. */
  measure(milliseconds: number): Promise<Measured | Unable> {
    return this.#ask({ measure: milliseconds } satisfies MeasureRequest);
  }

  /** The most memory it has held so far in MiB, as the system tells it; null where it does not. */
  peakMemory(): number | null {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
      return kibibytes === undefined ? null : Number(kibibytes) / 1024;
    } catch {
      return null;
    }
  }

  /** Ends the process; resolves when it has. */
  end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#child.on("close", () => resolve());
      this.#child.kill("SIGKILL");
    });
  }

  #ask<Reply extends object>(request: object): Promise<Reply> {
    if (this.#child.exitCode !== null) return Promise.resolve({ unable: "the process has ended" } as unknown as Reply);
    return new Promise((resolve) => {
      this.#waiting = resolve as (reply: object) => void;
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    });
  }

  #answer(reply: object): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(reply);
  }
}
