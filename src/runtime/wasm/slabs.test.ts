import { expect, test } from "vitest";
import { allowRelaxedSimd } from "../../../test/relaxed-simd.js";
import { add, fill, multiply } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { compile } from "../compile-function.js";
import { wasmKernels } from "./kernels.js";
import { WASM_INSTRUCTIONS, wasmModule } from "./module.js";
import { wasmRegion } from "./slabs.js";

const { module } = wasmModule() as { module: WebAssembly.Module };

test("small regions share a memory without overlap; a large one has a memory of its own", () => {
  const [a, b] = [wasmRegion(module, 100), wasmRegion(module, 1000)];
  expect(b.memory).toBe(a.memory);
  expect(b.start - a.start).toBeGreaterThanOrEqual(100);
  expect([a.start % 64, b.start % 64]).toEqual([0, 0]);
  expect(wasmRegion(module, 2 ** 21).memory).not.toBe(a.memory);
});

test("memories are shared by the Plans of one module", () => {
  allowRelaxedSimd();
  const [one, other] = WASM_INSTRUCTIONS.map((name) => (wasmModule(name) as { module: WebAssembly.Module }).module);
  expect(wasmRegion(one!, 100).memory).not.toBe(wasmRegion(other!, 100).memory);
});

test("a full memory is followed by another", () => {
  const memories = new Set(Array.from({ length: 20 }, () => wasmRegion(module, 2 ** 20).memory));
  expect(memories.size).toBe(2);
});

test("500 Plans live side by side", () => {
  const found = wasmKernels();
  const kernels = "kernels" in found ? found.kernels : undefined;
  const plans = Array.from({ length: 500 }, (_, k) =>
    compile((x: Tensor) => add(multiply(x, 2), k), kernels && { kernels }),
  );
  const once = plans.map((plan, k) => plan(fill([(k % 7) + 1], 3)).data[0]);
  const again = plans.map((plan, k) => plan(fill([(k % 7) + 1], 3)).data[0]);
  expect(once).toEqual(plans.map((_, k) => 6 + k));
  expect(again).toEqual(once);
});
