/** The WebAssembly kernels against the reference. */

import { expect, test } from "vitest";
import { runKernelCases } from "../../../test/contracts/kernels.cases.js";
import { referenceKernels } from "../index.js";
import { wasmKernels } from "./kernels.js";

const found = wasmKernels();

test("this engine has the WebAssembly kernels", () => {
  expect(found).toHaveProperty("kernels");
});

runKernelCases({ name: "wasm", kernels: "kernels" in found ? found.kernels : referenceKernels });
