/** What the benchmark and the processes that it measures say to each other: one JSON object a line. */

import type { Workload } from "./workloads.js";

/** The first request: build this workload, call it a few times, warm up. */
export interface PrepareRequest {
  readonly prepare: Workload;
  /** That it may use. */
  readonly threads: number;
  /** Heard only by the toolkit itself. */
  readonly kernels: string;
  readonly warmUpMs: number;
}

/** Every other request: measure for so many milliseconds. */
export interface MeasureRequest {
  readonly measure: number;
}

/** Ready to be measured. */
export interface Ready {
  readonly ready: true;
  /** The first call: tracing, compiling and one run. */
  readonly firstCallMs: number;
  /** Tracing and compiling alone, where that can be told apart. */
  readonly compileMs: number | null;
  /** Losses of the first three training steps; otherwise one mean of absolute values. Empty: nothing to compare. */
  readonly check: readonly number[];
  /** Which of several ways was the fastest, if there are several. */
  readonly variant?: string;
  /** That it uses, where it tells. */
  readonly threads?: number;
}

/** This competitor has no such thing. */
export interface Unable {
  readonly unable: string;
}

/** Milliseconds of one call: wall time, and time of the processor. */
export interface Sample {
  readonly wall: number;
  readonly cpu: number;
}

/** Each sample is the mean over enough calls to last some milliseconds. */
export interface Measured {
  readonly samples: readonly Sample[];
  /** What the machine could reach at most at that time, in GFLOP/s; null if that is not measured. */
  readonly peakGflops?: number | null;
}

/** Seconds after which a first call is too slow to be measured. */
export const FIRST_CALL_LIMIT_SECONDS = 60;

/** After which calls the result is checked: three losses, or one result (a streamed step needs some to show its state). */
export const CHECKED_CALLS: Readonly<Record<Workload["kind"], readonly number[]>> = {
  train: [1, 2, 3],
  step: [5],
  seq: [1],
  gemm: [1],
};
