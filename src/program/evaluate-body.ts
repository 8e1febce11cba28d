/** The reference evaluation of primitives that carry a Program. */

import { copyElements, hostTensorOf, type View } from "../tensor/index.js";
import type { Program } from "./program.js";
import { evaluateProgram } from "./trace.js";

/** Computes the body; its outputs are the first outputs. */
export function evaluateBody(
  inputs: readonly View[],
  outputs: readonly View[],
  { body }: { readonly body: Program },
): void {
  const results = evaluateProgram(body, inputs.map(hostTensorOf));
  for (const [index, result] of results.entries()) copyElements(result, outputs[index] as View);
}
