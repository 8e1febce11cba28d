/** Removes what nobody reads: equations, and single inputs and outputs of loops. */

import type { Equation, Program, Variable } from "./program.js";

/**
 * The same Program without equations whose outputs are not needed. Its inputs stay as they are.
 * @param outputs the outputs to keep; default: all
 */
export function pruneProgram(program: Program, outputs: readonly Variable[] = program.outputs): Program {
  const needed = new Set<Variable>(outputs);
  const equations: Equation[] = [];
  for (let index = program.equations.length - 1; index >= 0; index--) {
    const equation = program.equations[index] as Equation;
    if (!equation.outputs.some((variable) => needed.has(variable))) continue;
    const kept = pruneEquation(equation, needed);
    equations.push(kept);
    for (const variable of kept.inputs) needed.add(variable);
  }
  return { inputs: program.inputs, equations: equations.reverse(), outputs };
}

function pruneEquation(equation: Equation, needed: ReadonlySet<Variable>): Equation {
  const { primitive, params, inputs, outputs } = equation;
  if (primitive.prune === undefined) return equation;
  const used = outputs.map((variable) => needed.has(variable));
  const pruned = primitive.prune(params, inputs.length, used);
  return {
    primitive,
    params: pruned.params,
    inputs: pruned.keptInputs.map((index) => inputs[index] as Variable),
    outputs: pruned.keptOutputs.map((index) => outputs[index] as Variable),
  };
}
