/** Which kernels run in Node. */

import { afterEach, expect, test, vi } from "vitest";
import { OptionError } from "../core/index.js";
import { selectKernels, wasmKernels } from "../runtime/index.js";
import { chooseInstructions, findKernels } from "./kernels.js";
import { nativeAddon } from "./native-addon.js";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

// Where no compiler is, there are none to be preferred.
test.skipIf("reason" in nativeAddon())("native ones are preferred, and WebAssembly is not compiled in vain", () => {
  vi.stubEnv("THROUGH_TIME_KERNELS", "");
  const module = vi.spyOn(WebAssembly, "Module");
  expect(selectKernels().name).toMatch(/^native/);
  expect(module).not.toHaveBeenCalled();
});

test("THROUGH_TIME_WASM names the instructions of WebAssembly", () => {
  vi.stubEnv("THROUGH_TIME_WASM", "simd128");
  expect(chooseInstructions()).toBe("simd128");
  expect(findKernels("wasm")).toEqual(wasmKernels("simd128"));
  vi.stubEnv("THROUGH_TIME_WASM", "mmx");
  expect(() => findKernels("wasm")).toThrow(OptionError);
  expect(() => findKernels("wasm")).toThrow(/^THROUGH_TIME_WASM: cannot use the instruction set "mmx": .* simd128/);
});
