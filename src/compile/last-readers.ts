/** Where each variable of a Program is needed for the last time. */

import type { Program, Variable } from "../program/index.js";

/** For each variable, the place of the last equation that reads it or another name of it; Infinity for outputs. */
export function lastReaders(program: Program): Map<Variable, number> {
  const original = new Map<Variable, Variable>();
  const last = new Map<Variable, number>();
  const read = (variable: Variable, reader: number): void => {
    for (let name: Variable | undefined = variable; name !== undefined; name = original.get(name))
      last.set(name, reader);
  };
  program.equations.forEach(({ primitive, inputs, outputs }, index) => {
    if (primitive.alias === true) original.set(outputs[0] as Variable, inputs[0] as Variable);
    for (const variable of inputs) read(variable, index);
  });
  for (const variable of program.outputs) read(variable, Number.POSITIVE_INFINITY);
  return last;
}
