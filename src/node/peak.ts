/** How fast one core multiplies and adds with a set of kernels: the limit that everything else is measured against. */

import { wasmKernels, wasmModule, wasmRegion } from "../runtime/index.js";
import { chooseInstructions, type KernelName } from "./kernels.js";
import { chooseVariant, nativeAddon } from "./native-addon.js";

const PEAK_SECONDS = 0.4;
/** Shortest stretch of work that is timed. */
const SHORTEST_MILLISECONDS = 5;

/**
 * The most GFLOP/s that one core keeps up, a multiply-add counting as two; undefined if these kernels are not here, or have no such loop. The
 * first half of the time does not count: a processor that was idle is faster for a moment than it stays.
 */
export function measurePeak(name: KernelName, seconds = PEAK_SECONDS): number | undefined {
  const work = peakWork(name);
  if (work === undefined) return undefined;
  let best = 0;
  let iterations = 1000;
  const begin = performance.now();
  const [settled, end] = [begin + seconds * 500, begin + seconds * 1000];
  while (performance.now() < end || best === 0) {
    const start = performance.now();
    const operations = work(iterations);
    const milliseconds = performance.now() - start;
    if (milliseconds < SHORTEST_MILLISECONDS) iterations *= 2;
    else if (start >= settled) best = Math.max(best, operations / (milliseconds * 1e6));
  }
  return best;
}

/** Does that many iterations of multiplying and adding, and returns how many operations that were. */
function peakWork(name: KernelName): ((iterations: number) => number) | undefined {
  if (name === "wasm") {
    const instructions = chooseInstructions();
    const compiled = wasmModule(instructions);
    const isHere = "module" in compiled && "kernels" in wasmKernels(instructions);
    return isHere ? wasmRegion(compiled.module, 0).peakWork : undefined;
  }
  if (name === "reference") return undefined;
  const loaded = nativeAddon();
  if ("reason" in loaded) return undefined;
  const { addon } = loaded;
  const variant = chooseVariant(addon.variants());
  return (iterations) => addon.peakWork(variant.name, iterations);
}
