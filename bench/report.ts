/** What the benchmark prints: one line of JSON for each figure, or a table for people. */

import { gflopsOf, type Summary } from "./summary.js";
import { computedFlops, nominalFlops, type Workload } from "./workloads.js";

/** The name of this toolkit among its peers. */
export const OURS = "ours";

/** One competitor on one workload. */
export interface Result {
  readonly peer: string;
  readonly kernels: string | null;
  readonly variant: string | null;
  readonly threads: number;
  readonly summary: Summary;
  readonly firstCallMs: number;
  readonly compileMs: number | null;
  readonly peakMemory: number | null;
  readonly peakGflops: number | null;
  readonly check: readonly number[];
}

/** One line of JSON. Times are milliseconds of one call, memory is MiB. */
export interface ResultLine {
  readonly workload: string;
  readonly peer: string;
  readonly kernels: string | null;
  readonly variant: string | null;
  /** That it used, or, where a peer does not tell, that it was allowed. */
  readonly threads: number;
  readonly ms: number;
  /** By the usual count of operations, see `nominalFlops`. */
  readonly gflops: number;
  /** Part of the machine's measured peak that the operations really computed take; null if the peak was not measured. */
  readonly peakFraction: number | null;
  readonly compileMs: number | null;
  readonly firstCallMs: number;
  readonly peakMemoryMiB: number | null;
  readonly samples: number;
  readonly disturbed: number;
  readonly basis: Summary["basis"];
  readonly check: readonly number[];
  /** Only in our own line: each peer's time over ours; above 1 we are faster. */
  readonly ratio?: Readonly<Record<string, number>>;
}

const rounded = (value: number): number => Number(value.toPrecision(5));
const roundedOrNull = (value: number | null): number | null => (value === null ? null : rounded(value));

/** The lines of one workload, ours first. */
export function linesOf(workload: Workload, results: readonly Result[]): ResultLine[] {
  const ours = results.find(({ peer }) => peer === OURS);
  const ratio = Object.fromEntries(
    results
      .filter((result) => result !== ours)
      .map(({ peer, summary }) => [peer, rounded(summary.ms / (ours?.summary.ms ?? Number.NaN))]),
  );
  return results.map((result) => {
    const { peer, kernels, variant, threads, summary, peakGflops } = result;
    return {
      workload: workload.name,
      peer,
      kernels,
      variant,
      threads,
      ms: rounded(summary.ms),
      gflops: rounded(gflopsOf(nominalFlops(workload), summary.ms)),
      peakFraction: peakGflops === null ? null : rounded(gflopsOf(computedFlops(workload), summary.ms) / peakGflops),
      compileMs: roundedOrNull(result.compileMs),
      firstCallMs: rounded(result.firstCallMs),
      peakMemoryMiB: roundedOrNull(result.peakMemory),
      samples: summary.samples,
      disturbed: summary.disturbed,
      basis: summary.basis,
      check: result.check,
      ...(result === ours && { ratio }),
    };
  });
}

const COLUMNS: readonly (readonly [title: string, width: number])[] = [
  ["", 13],
  ["ms", 11],
  ["GFLOP/s", 9],
  ["of peak", 8],
  ["first ms", 10],
  ["MiB", 7],
  ["ratio", 8],
  ["disturbed", 11],
];

const row = (cells: readonly string[]): string =>
  cells
    .map((cell, index) => {
      const width = (COLUMNS[index] as readonly [string, number])[1];
      return index === 0 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join("")
    .trimEnd();

const short = (value: number | null): string =>
  value === null ? "-" : value >= 1000 ? value.toFixed(0) : value.toPrecision(3);

/** The table of one workload, 80 columns wide at most. */
export function formatTable(lines: readonly ResultLine[]): string {
  const ours = lines.find(({ peer }) => peer === OURS);
  const kernels = ours?.kernels ? `, ${ours.kernels} kernels` : "";
  const threads = lines[0]?.threads ?? 1;
  const body = lines.map((line) =>
    row([
      line.peer,
      `${line.basis === "cpu" ? "~" : ""}${short(line.ms)}`,
      short(line.gflops),
      line.peakFraction === null ? "-" : `${(100 * line.peakFraction).toFixed(0)} %`,
      short(line.firstCallMs),
      short(line.peakMemoryMiB),
      short(ours?.ratio?.[line.peer] ?? null),
      `${line.disturbed}/${line.samples}`,
    ]),
  );
  const title = `${lines[0]?.workload} (${threads} ${threads === 1 ? "thread" : "threads"}${kernels})`;
  return [title, row(COLUMNS.map(([name]) => name)), ...body, ""].join("\n");
}
