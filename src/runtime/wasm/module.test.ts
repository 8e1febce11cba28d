/** The WebAssembly module: it runs, in memory of its own; and what is said where it cannot. */

import { expect, test, vi } from "vitest";
import { allowRelaxedSimd } from "../../../test/relaxed-simd.js";
import { MemoryError } from "../../core/index.js";
import {
  compileModule,
  fastestInstructions,
  hasInstructions,
  instantiateWasm,
  WASM_INSTRUCTIONS,
  wasmModule,
} from "./module.js";

allowRelaxedSimd();
const module = (wasmModule() as { module: WebAssembly.Module }).module;

test("each module is compiled once and imports nothing but memory", () => {
  expect(wasmModule()).toBe(wasmModule("relaxed-simd"));
  for (const instructions of WASM_INSTRUCTIONS) {
    const found = wasmModule(instructions);
    expect(wasmModule(instructions)).toBe(found);
    expect(WebAssembly.Module.imports((found as { module: WebAssembly.Module }).module)).toEqual([
      { module: "env", name: "memory", kind: "memory" },
    ]);
  }
});

test("relaxed SIMD is taken where the engine has it", () => {
  expect([fastestInstructions(), hasInstructions("simd128"), hasInstructions("relaxed-simd")]).toEqual([
    "relaxed-simd",
    true,
    true,
  ]);
  const validate = vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
  expect([fastestInstructions(), hasInstructions("simd128"), hasInstructions("relaxed-simd")]).toEqual([
    "simd128",
    true,
    false,
  ]);
  validate.mockRestore();
});

test("an instance has as much memory as is asked for, zeroed, from an aligned start on", () => {
  for (const bytes of [0, 1, 65536, 1_000_000]) {
    const { memory, start } = instantiateWasm(module, bytes);
    expect(start % 64).toBe(0);
    expect(memory.buffer.byteLength).toBeGreaterThanOrEqual(start + bytes);
    expect(new Uint8Array(memory.buffer, start).every((byte) => byte === 0)).toBe(true);
  }
});

test("an instance runs an empty Plan and multiplies", () => {
  const { memory, start, run, panel, peakWork } = instantiateWasm(module, 256);
  new Int32Array(memory.buffer)[start / 4] = 0; // `end`, see kernels/codes.hpp
  expect(run(start, start + 64, start + 128, start + 192)).toBe(0);
  expect(panel() % 4).toBe(0);
  expect(peakWork(100)).toBeGreaterThan(0);
});

test("a Plan that needs more than there can be is refused", () => {
  expect(() => instantiateWasm(module, 2 ** 32)).toThrow(
    new MemoryError(
      "WebAssembly kernels: 4096 MiB of memory are needed, and WebAssembly has 4 GiB at most; use smaller batches, shorter windows, or fewer different shapes",
    ),
  );
});

test("an engine that does not take the module is a reason, not an error", () => {
  expect(compileModule(Uint8Array.of(0, 97, 115, 109, 9, 0, 0, 0))).toEqual({
    reason: expect.stringMatching(/^this JavaScript engine does not accept the WebAssembly module/),
  });
});
