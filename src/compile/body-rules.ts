/** Rules of primitives that passes over Programs bring in, after differentiation. */

import { ToolkitError } from "../core/index.js";
import { evaluateProgram, type Primitive, type Program } from "../program/index.js";
import { copyElements, hostTensorOf, type View } from "../tensor/index.js";

/** Such a primitive has no derivative: what is compiled is differentiated already. */
export function withoutDerivative(name: string): Pick<Primitive, "vjp" | "jvp"> {
  const refuse = (): never => {
    throw new ToolkitError("trace", `${name}: made by compile, after differentiation; it has no derivative`);
  };
  return { vjp: refuse, jvp: refuse };
}

/** The reference evaluation of a primitive that carries a Program: its first outputs are those of the Program. */
export function evaluateBody<Params extends { readonly body: Program }>(
  inputs: readonly View[],
  outputs: readonly View[],
  { body }: Params,
): void {
  const results = evaluateProgram(body, inputs.map(hostTensorOf));
  for (const [index, result] of results.entries()) copyElements(result, outputs[index] as View);
}
