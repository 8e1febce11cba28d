/** Common subexpressions: what is computed twice from the same inputs is computed once. */

import type { Equation, Primitive, Program, Variable } from "../program/index.js";
import { scanPrimitive } from "../scan/index.js";
import { paramsKey } from "./params-key.js";

/** The same Program with every operation on the same inputs done once. Loops stay as they are: their bodies are Programs of their own. */
export function mergeCommon(program: Program): Program {
  const numbers = new Map<Variable | Primitive, number>();
  const numberOf = (thing: Variable | Primitive): number => {
    const number = numbers.get(thing) ?? numbers.size;
    numbers.set(thing, number);
    return number;
  };
  const first = new Map<string, readonly Variable[]>();
  const merged = new Map<Variable, Variable>();
  const resolve = (variable: Variable): Variable => merged.get(variable) ?? variable;

  const equations: Equation[] = [];
  for (const { primitive, params, inputs, outputs } of program.equations) {
    const operands = inputs.map(resolve);
    if (primitive === scanPrimitive) {
      equations.push({ primitive, params, inputs: operands, outputs });
      continue;
    }
    const key = [numberOf(primitive), paramsKey(params), ...operands.map(numberOf)].join(" ");
    const known = first.get(key);
    if (known === undefined) {
      first.set(key, outputs);
      equations.push({ primitive, params, inputs: operands, outputs });
    } else {
      outputs.forEach((output, index) => {
        merged.set(output, known[index] as Variable);
      });
    }
  }
  return { inputs: program.inputs, equations, outputs: program.outputs.map(resolve) };
}
