/** The kernels' WebAssembly modules, for engines with relaxed SIMD and without: decoded and compiled when first asked for, and their instances. */

import { MemoryError } from "../../core/index.js";
import { aligned } from "../machine/alignment.js";
import { WASM_RELAXED_SIMD, WASM_SIMD128 } from "./binary.js";

/** What the module exports; addresses are bytes in its memory. kernels/wasm.cpp says what the functions do. */
interface Exports {
  readonly __heap_base: WebAssembly.Global;
  /** Executes the words at `code`. */
  run(code: number, pointers: number, scratch: number, failure: number): number;
  /** Scratch memory that they need. */
  scratchFloats(code: number): number;
  /** Columns of a packed panel. */
  panel(): number;
  /** Multiplies and adds in registers, to measure the peak. */
  peakWork(iterations: number): number;
}

/** An instance with its memory: the host's from byte `start` on, which is a multiple of 64; below are constants and the stack. */
export interface WasmInstance extends Pick<Exports, "run" | "scratchFloats" | "panel" | "peakWork"> {
  readonly memory: WebAssembly.Memory;
  readonly start: number;
}

/** The module, or the reason why there is none here. */
export type WasmModule = { readonly module: WebAssembly.Module } | { readonly reason: string };

const PAGE_BYTES = 65536;
const MOST_PAGES = 65536;
/** What the module itself needs: its stack and its constants (scripts/build-wasm.mjs). */
const MODULE_PAGES = 2;

/**
 * What a module is made of, fastest last. Relaxed SIMD has multiply-add in one instruction, as WebAssembly 3.0 has; engines got it later, and how it rounds
 * is up to the processor.
 */
export const WASM_INSTRUCTIONS = ["simd128", "relaxed-simd"] as const;

/** Name of an instruction set of WebAssembly. */
export type WasmInstructions = (typeof WASM_INSTRUCTIONS)[number];

const BINARIES: Record<WasmInstructions, string> = { simd128: WASM_SIMD128, "relaxed-simd": WASM_RELAXED_SIMD };

/** A module of one function, which multiplies and adds vectors by an instruction of relaxed SIMD. */
const RELAXED_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // magic number and version
  ...[1, 8, 1, 96, 3, 123, 123, 123, 1, 123], // types: (v128, v128, v128) -> v128
  ...[3, 2, 1, 0], // functions: one, of this type
  ...[10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11], // code: its arguments, f32x4.relaxed_madd
);

/** Whether this engine has the instructions of a module; those of `simd128` are taken for granted. */
export const hasInstructions = (instructions: WasmInstructions): boolean =>
  instructions === "simd128" || (typeof WebAssembly !== "undefined" && WebAssembly.validate(RELAXED_PROBE));

/** The fastest instructions of this engine. */
export const fastestInstructions = (): WasmInstructions => WASM_INSTRUCTIONS.findLast(hasInstructions) ?? "simd128";

const compiled: Partial<Record<WasmInstructions, WasmModule>> = {};

/** A module; the same one at every call. */
export function wasmModule(instructions = fastestInstructions()): WasmModule {
  compiled[instructions] ??= compileModule(decode(BINARIES[instructions]));
  return compiled[instructions];
}

/** Compiles a module, if this engine can. */
export function compileModule(bytes: Uint8Array<ArrayBuffer>): WasmModule {
  if (typeof WebAssembly === "undefined") return { reason: "this JavaScript engine has no WebAssembly" };
  try {
    return { module: new WebAssembly.Module(bytes) };
  } catch (error) {
    // Engines without its 128-bit vectors take the module for damaged.
    const message = error instanceof Error ? error.message : String(error);
    return {
      reason: `this JavaScript engine does not accept the WebAssembly module, which needs SIMD and, on pages with a Content-Security-Policy, wasm-unsafe-eval: ${message}`,
    };
  }
}

/**
 * Makes an instance with at least `bytes` bytes of zeros for the host.
 * @throws MemoryError if there is not so much
 */
export function instantiateWasm(module: WebAssembly.Module, bytes: number): WasmInstance {
  const pages = pagesFor(bytes);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    throw notEnoughMemory(bytes);
  }
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  const start = aligned(exports.__heap_base.value as number);
  const { run, scratchFloats, panel, peakWork } = exports;
  return { memory, start, run, scratchFloats, panel, peakWork };
}

/** The memory of an instance with `bytes` bytes for the host, in pages. @throws MemoryError if no instance can have so many */
export function pagesFor(bytes: number): number {
  const pages = MODULE_PAGES + Math.ceil(bytes / PAGE_BYTES);
  if (pages > MOST_PAGES) throw tooMuch(bytes, "WebAssembly has 4 GiB at most");
  return pages;
}

/** What is thrown if there is no memory for an instance with `bytes` bytes for the host. */
export const notEnoughMemory = (bytes: number): MemoryError =>
  tooMuch(bytes, "there is not so much, or there are not so many addresses (too many Plans, or ulimit -v)");

const tooMuch = (bytes: number, why: string): MemoryError =>
  new MemoryError(
    `WebAssembly kernels: ${(bytes / 2 ** 20).toFixed(0)} MiB of memory are needed, and ${why}; use smaller batches, shorter windows, or fewer different shapes`,
  );

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = characters.charCodeAt(k);
  return bytes;
}
