/** Relaxed SIMD of WebAssembly, which Node 20 has behind a flag. */

import { setFlagsFromString } from "node:v8";
import { hasInstructions } from "../src/runtime/index.js";

/** Turns it on for this process, where it is not on anyhow. Newer versions do not know the flag. */
export function allowRelaxedSimd(): void {
  if (!hasInstructions("relaxed-simd")) setFlagsFromString("--experimental-wasm-relaxed-simd");
}
