/**
 * What is computed from constants alone is computed while compiling: the packing of weights that never change, above all. Not loops and
 * products: here the reference kernels compute, and what takes them seconds takes the others milliseconds at each run.
 */

import { type Equation, evaluateProgram, type Program, type Variable } from "../program/index.js";
import { scanPrimitive } from "../scan/index.js";
import type { HostTensor } from "../tensor/index.js";
import { productPrimitive } from "./product.js";

/** A Program and the values of its last inputs. */
export interface WithConstants {
  readonly program: Program;
  readonly constants: readonly HostTensor[];
}

/** The same function of the other inputs, with fewer equations and other constants. */
export function foldConstants({ program, constants }: WithConstants): WithConstants {
  const inputCount = program.inputs.length - constants.length;
  const known = new Map(
    program.inputs.slice(inputCount).map((variable, index) => [variable, constants[index] as HostTensor]),
  );
  const equations = program.equations.filter((equation) => !fold(equation, known));
  const read = new Set([...equations.flatMap(({ inputs }) => inputs), ...program.outputs]);
  const kept = [...known].filter(([variable]) => read.has(variable));
  return {
    program: {
      inputs: [...program.inputs.slice(0, inputCount), ...kept.map(([variable]) => variable)],
      equations,
      outputs: program.outputs,
    },
    constants: kept.map(([, value]) => value),
  };
}

/** Adds the results of an equation to what is known, if all that it reads is. */
function fold(equation: Equation, known: Map<Variable, HostTensor>): boolean {
  const { primitive, inputs, outputs } = equation;
  const isLarge = primitive === scanPrimitive || primitive === productPrimitive || primitive.prefersBatch === true;
  if (isLarge || inputs.length === 0 || !inputs.every((input) => known.has(input))) return false;
  const values = inputs.map((input) => known.get(input) as HostTensor);
  const results = evaluateProgram({ inputs, equations: [equation], outputs }, values);
  outputs.forEach((output, index) => {
    known.set(output, results[index] as HostTensor);
  });
  return true;
}
