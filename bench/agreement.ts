/** Whether two competitors computed the same. */

import type { Workload } from "./workloads.js";

/** Relative difference that rounding in float32 may make. */
const TOLERANCE = 1e-3;

/**
 * Where two lists of check values differ by more than rounding.
 * @returns a sentence, or nothing if they agree
 */
export function disagreement(
  workload: Workload,
  ours: readonly number[],
  theirs: readonly number[],
): string | undefined {
  // After one update, layer normalization carries rounding errors apart; the first loss is before it.
  const comparable = workload.kind === "train" && workload.cell === "lnlstm" ? 1 : ours.length;
  const differs = ours.slice(0, comparable).some((value, index) => {
    const other = theirs[index];
    return other !== undefined && !(Math.abs(value - other) <= TOLERANCE * Math.abs(other));
  });
  return differs ? `ours ${shown(ours)}, theirs ${shown(theirs)}` : undefined;
}

const shown = (values: readonly number[]): string => values.map((value) => value.toPrecision(6)).join(" ");
