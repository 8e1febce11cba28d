/** From samples to figures. */

import type { Sample } from "./protocol.js";

/** What many samples come to. */
export interface Summary {
  /** Milliseconds of one call. */
  readonly ms: number;
  readonly samples: number;
  /** Samples during which another program had the core. */
  readonly disturbed: number;
  /** What `ms` is the median of: wall time of the undisturbed samples, or processor time of all where hardly any was left. */
  readonly basis: "wall" | "cpu";
}

/** Another program on the same core shows as processor time below wall time. */
const UNDISTURBED = 0.93;
/** Fewer undisturbed samples than this say nothing. */
const ENOUGH = 3;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

/** The median over all rounds. With several threads a disturbance cannot be told, and all samples count. */
export function summarize(samples: readonly Sample[], threads: number): Summary {
  const clean = threads > 1 ? samples : samples.filter(({ wall, cpu }) => cpu / wall >= UNDISTURBED);
  const basis = clean.length >= Math.min(ENOUGH, samples.length) ? "wall" : "cpu";
  const ms = basis === "wall" ? median(clean.map(({ wall }) => wall)) : median(samples.map(({ cpu }) => cpu));
  return { ms, samples: samples.length, disturbed: samples.length - clean.length, basis };
}

/** Operations and milliseconds to GFLOP/s. */
export const gflopsOf = (flops: number, ms: number): number => flops / ms / 1e6;
