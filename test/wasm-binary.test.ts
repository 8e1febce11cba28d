/** The committed WebAssembly module was made from the sources as they are. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { WASM_SOURCES } from "../src/runtime/wasm/binary.js";

const script = fileURLToPath(new URL("../scripts/build-wasm.mjs", import.meta.url));

test("src/runtime/wasm/binary.ts was made from the kernels' sources; if not: npm run build:wasm", () => {
  expect(execFileSync(process.execPath, [script, "--hash"], { encoding: "utf8" }).trim()).toBe(WASM_SOURCES);
});
