/** The WebAssembly kernels against the reference. */

import { expect, test } from "vitest";
import { runKernelCases } from "../../../test/contracts/kernels.cases.js";
import { startNodeThread } from "../../node/threads.js";
import { provideThreads, referenceKernels } from "../index.js";
import { wasmKernels } from "./kernels.js";

provideThreads(startNodeThread);

const found = wasmKernels();

test("this engine has the WebAssembly kernels", () => {
  expect(found).toHaveProperty("kernels");
});

runKernelCases({ name: "wasm", kernels: "kernels" in found ? found.kernels : referenceKernels });
