/** The one place that knows how to get a set of kernels, and what the machine could reach with it. */

import type { CompileOptions } from "through-time";
import { findKernels, type KernelName, measurePeak } from "through-time/node";
import { whyNoThreads } from "through-time/runtime";

/**
 * The options with which everything is compiled.
 * @returns the reason in words if there are no such kernels here, or not so many threads
 */
export async function kernelsByName(name: KernelName, threads: number): Promise<CompileOptions | string> {
  const found = findKernels(name);
  if ("reason" in found) return found.reason;
  const noThreads = threads > 1 ? await whyNoThreads(found.kernels) : undefined;
  return noThreads ?? { kernels: found.kernels };
}

/** Operations per second that these kernels could reach at most, in GFLOP/s (a multiply-add is two); null: not measured. */
export const peakGflops = (name: KernelName, threads: number): number | null => {
  const peak = measurePeak(name);
  return peak === undefined ? null : peak * threads;
};
