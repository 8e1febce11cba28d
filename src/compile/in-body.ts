/** Passes that go into loops. */

import type { Equation, Program } from "../program/index.js";
import type { ScanParams } from "../scan/index.js";

/** A loop with its body rewritten; the pass keeps the inputs and outputs of the body. */
export function inBody(loop: Equation, pass: (body: Program) => Program): Equation {
  const params = loop.params as ScanParams;
  return { ...loop, params: { ...params, body: pass(params.body) } satisfies ScanParams };
}
