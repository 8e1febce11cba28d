/** Chooses the kernels that run here. */

import type { Kernels } from "./kernels.js";
import { referenceKernels } from "./reference/kernels.js";
import { wasmKernels } from "./wasm/kernels.js";

let choose: (() => Kernels | undefined) | undefined;
let preferred: Kernels | undefined;

/**
 * Says which kernels `compile` uses unless it is told otherwise. "through-time" in Node does so for the native kernels.
 * @param choice called when kernels are first needed; it, or what it returns, may be undefined: then those that are always there are used
 */
export function preferKernels(choice: (() => Kernels | undefined) | undefined): void {
  choose = choice;
  preferred = undefined;
}

/** The preferred kernels, or WebAssembly, or the reference. */
export function selectKernels(): Kernels {
  preferred ??= choose?.() ?? fastestEverywhere();
  return preferred;
}

function fastestEverywhere(): Kernels {
  const wasm = wasmKernels();
  return "kernels" in wasm ? wasm.kernels : referenceKernels;
}
