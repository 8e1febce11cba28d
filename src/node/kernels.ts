/** The kernels in Node: native ones if they are built, or what the environment asks for; and how the others get threads. */

import { env } from "node:process";
import { KernelError, nearestName, OptionError } from "../core/index.js";
import {
  hasInstructions,
  type Kernels,
  nativeKernels,
  preferKernels,
  provideThreads,
  referenceKernels,
  WASM_INSTRUCTIONS,
  type WasmInstructions,
  wasmKernels,
} from "../runtime/index.js";
import { chooseInstructionSet } from "./instruction-set.js";
import { chooseVariant, nativeAddon } from "./native-addon.js";
import { startNodeThread } from "./threads.js";

/** Names of the sets of kernels, fastest first. */
export const KERNEL_NAMES = ["native", "wasm", "reference"] as const;

/** Name of a set of kernels. */
export type KernelName = (typeof KERNEL_NAMES)[number];

/** The instructions of WebAssembly to use: the best of this engine, or those that the environment variable THROUGH_TIME_WASM names. */
export const chooseInstructions = (): WasmInstructions =>
  chooseInstructionSet(
    WASM_INSTRUCTIONS.map((name) => ({ name, supported: hasInstructions(name) })),
    "THROUGH_TIME_WASM",
  ).name;

/**
 * A set of kernels, or the reason why it is not here.
 * @throws OptionError if THROUGH_TIME_ISA or THROUGH_TIME_WASM names no instruction set that there is here
 */
export function findKernels(name: KernelName): { readonly kernels: Kernels } | { readonly reason: string } {
  if (name === "reference") return { kernels: referenceKernels };
  if (name === "wasm") return wasmKernels(chooseInstructions());
  const loaded = nativeAddon();
  if ("reason" in loaded) return loaded;
  return { kernels: nativeKernels(loaded.addon, chooseVariant(loaded.addon.variants())) };
}

/**
 * A set of kernels.
 * @throws KernelError with the reason if it is not here
 */
export function kernelsNamed(name: KernelName): Kernels {
  const found = findKernels(name);
  if ("kernels" in found) return found.kernels;
  throw new KernelError(`the ${name} kernels cannot be used: ${found.reason}`);
}

/** The set that the environment variable THROUGH_TIME_KERNELS names, or the native one if it is built. */
function chooseKernels(): Kernels | undefined {
  const wanted = env.THROUGH_TIME_KERNELS;
  if (wanted === undefined || wanted === "") {
    // WebAssembly is not even looked at where there are native ones: to compile it takes time.
    const native = findKernels("native");
    if ("kernels" in native) return native.kernels;
    const wasm = findKernels("wasm");
    return "kernels" in wasm ? wasm.kernels : undefined;
  }
  const name = KERNEL_NAMES.find((known) => known === wanted);
  if (name === undefined) {
    throw new OptionError(
      `THROUGH_TIME_KERNELS: there are no kernels "${wanted}"; did you mean ${nearestName(wanted, KERNEL_NAMES)}? The choices are ${KERNEL_NAMES.join(", ")}`,
    );
  }
  return kernelsNamed(name);
}

preferKernels(chooseKernels);
provideThreads(startNodeThread);
