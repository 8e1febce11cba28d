/** Rules of primitives that passes over Programs bring in: what is compiled is differentiated already. */

import { ToolkitError } from "../core/index.js";
import type { Primitive } from "../program/index.js";

/** Derivative rules that refuse. */
export function withoutDerivative(name: string): Pick<Primitive, "vjp" | "jvp"> {
  const refuse = (): never => {
    throw new ToolkitError("trace", `${name}: made by compile, after differentiation; it has no derivative`);
  };
  return { vjp: refuse, jvp: refuse };
}
