/** Whether a result may be written over an operand. */

import type { Equation, Variable } from "../program/index.js";
import { accumulatePrimitive } from "./accumulate.js";
import { type FusedParams, fusedPrimitive } from "./fused.js";
import { type RowwiseParams, rowwisePrimitive } from "./rowwise.js";

/**
 * Whether each element of a result can be written as soon as it is computed over the same element of an operand that nobody reads later:
 * the equation is fused, reads the operand element by element only, and not after it computes the result; or adds rows to it. Of
 * several groups that go row by row, one alone reads it.
 */
export function readsInPlace(
  { primitive, params, inputs, outputs }: Equation,
  operand: Variable,
  result: Variable,
): boolean {
  if (primitive !== fusedPrimitive && primitive !== rowwisePrimitive) return false;
  const { body } = params as FusedParams | RowwiseParams;
  const inner = body.inputs[inputs.indexOf(operand)] as Variable;
  const written = body.outputs[outputs.indexOf(result)] as Variable;
  if (primitive === rowwisePrimitive) {
    const [reader, ...others] = body.equations.filter((equation) => equation.inputs.includes(inner));
    return others.length === 0 && reader?.outputs.includes(written) === true && readsInPlace(reader, inner, written);
  }
  const computed = body.equations.findIndex((equation) => equation.outputs.includes(written));
  const readers = body.equations.flatMap((equation, index) => (equation.inputs.includes(inner) ? [index] : []));
  const reads = inputs.filter((input) => input === operand).length;
  return (
    reads === 1 &&
    !body.outputs.includes(inner) &&
    writesWhereItReads(body.equations[computed]) &&
    readers.every((index) => index <= computed && writesWhereItReads(body.equations[index]))
  );
}

const writesWhereItReads = (equation: Equation | undefined): boolean =>
  equation?.primitive.pointwise === true || equation?.primitive === accumulatePrimitive;
