/** Whether a result may be written over an operand. */

import type { Equation, Variable } from "../program/index.js";
import { type FusedParams, fusedPrimitive } from "./fused.js";

/**
 * Whether each element of a result can be written as soon as it is computed over the same element of an operand that nobody reads later:
 * the equation is fused, reads the operand element by element only, and not after it computes the result.
 */
export function readsInPlace(
  { primitive, params, inputs, outputs }: Equation,
  operand: Variable,
  result: Variable,
): boolean {
  if (primitive !== fusedPrimitive) return false;
  const { body } = params as FusedParams;
  const inner = body.inputs[inputs.indexOf(operand)] as Variable;
  const written = body.outputs[outputs.indexOf(result)] as Variable;
  const computed = body.equations.findIndex((equation) => equation.outputs.includes(written));
  const readers = body.equations.flatMap((equation, index) => (equation.inputs.includes(inner) ? [index] : []));
  const reads = inputs.filter((input) => input === operand).length;
  return (
    reads === 1 &&
    !body.outputs.includes(inner) &&
    body.equations[computed]?.primitive.pointwise === true &&
    readers.every((index) => index <= computed && body.equations[index]?.primitive.pointwise === true)
  );
}
