/** The WebAssembly kernels against the reference. */

import { describe, expect, test } from "vitest";
import { runKernelCases } from "../../../test/contracts/kernels.cases.js";
import { allowRelaxedSimd } from "../../../test/relaxed-simd.js";
import { startNodeThread } from "../../node/threads.js";
import { provideThreads, referenceKernels } from "../index.js";
import { wasmKernels } from "./kernels.js";
import { WASM_INSTRUCTIONS } from "./module.js";

provideThreads(startNodeThread);
allowRelaxedSimd();

describe.each(WASM_INSTRUCTIONS)("with %s", (instructions) => {
  const found = wasmKernels(instructions);

  test("this engine has the WebAssembly kernels", () => {
    expect(found).toHaveProperty("kernels");
  });

  runKernelCases({ name: "wasm", kernels: "kernels" in found ? found.kernels : referenceKernels });
});
