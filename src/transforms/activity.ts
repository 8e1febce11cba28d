/** Which values of a Program depend on the inputs that are differentiated. */

import type { Program, Variable } from "../program/index.js";
import { isFloat } from "../tensor/index.js";

/** The float variables that depend on an active input. */
export function activeVariables(program: Program, active: readonly boolean[]): ReadonlySet<Variable> {
  const reached = new Set(program.inputs.filter(({ type }, index) => active[index] === true && isFloat(type.dtype)));
  for (const { inputs, outputs } of program.equations) {
    if (!inputs.some((variable) => reached.has(variable))) continue;
    for (const variable of outputs) {
      if (isFloat(variable.type.dtype)) reached.add(variable);
    }
  }
  return reached;
}
