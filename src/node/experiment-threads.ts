/** Seeds of an experiment, one after the other or on threads of their own. */

import { Worker } from "node:worker_threads";
import { type ErrorCode, ToolkitError } from "../core/index.js";
import {
  type Experiment,
  type ExperimentOptions,
  type Progress,
  runSeed,
  type SeedResult,
} from "../experiments/index.js";

/** What a thread is told. */
export interface SeedTask {
  readonly id: string;
  readonly seed: number;
  readonly options: ExperimentOptions;
}

/** What a thread tells: how far it is, what came of it, or why it failed. */
export type SeedMessage =
  | { readonly progress: Progress }
  | { readonly result: SeedResult }
  | { readonly code: ErrorCode; readonly message: string };

/** Who listens while seeds are run. */
export interface SeedsWatch {
  /** Told now and then how far a seed is. */
  readonly onProgress?: (seed: number, progress: Progress) => void;
  /** Told about each seed that is done, one at a time: its promise is waited for. */
  readonly onResult?: (result: SeedResult) => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Runs seeds, `threads` of them at a time. Threads change no figure but measured times.
 * @throws what the first run that failed threw; the others are stopped
 */
export async function runSeeds(
  experiment: Experiment,
  seeds: readonly number[],
  options: ExperimentOptions,
  threads: number,
  { onProgress, onResult, signal }: SeedsWatch = {},
): Promise<void> {
  const stop = new AbortController();
  const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const waiting = [...seeds];
  let told: Promise<void> = Promise.resolve();
  const workOff = async () => {
    for (let seed = waiting.shift(); seed !== undefined && !stopped.aborted; seed = waiting.shift()) {
      const own = seed;
      const watch = { onProgress: (progress: Progress) => onProgress?.(own, progress), signal: stopped };
      const result =
        threads === 1
          ? await runSeed(experiment, own, options, watch)
          : await runOnThread({ id: experiment.id, seed: own, options }, watch);
      if (result) {
        told = told.then(() => onResult?.(result));
        await told;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(threads, seeds.length) }, workOff));
  } finally {
    stop.abort();
  }
}

function runOnThread(
  task: SeedTask,
  watch: { readonly onProgress: (progress: Progress) => void; readonly signal: AbortSignal },
): Promise<SeedResult | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./experiment-worker.js", import.meta.url), { workerData: task });
    const stop = () => {
      resolve(undefined);
      worker.terminate();
    };
    watch.signal.addEventListener("abort", stop, { once: true });
    worker.on("error", reject).on("exit", () => watch.signal.removeEventListener("abort", stop));
    worker.on("message", (message: SeedMessage) => {
      if ("progress" in message) watch.onProgress(message.progress);
      else if ("result" in message) resolve(message.result);
      else reject(new ToolkitError(message.code, message.message));
    });
  });
}
