/**
 * Division by a repeated square root (a standard deviation) becomes multiplication by its reciprocal, which is computed once: the same but for
 * one rounding. Of a square root, the reciprocal is never too small or too large for its type; of other numbers it could be.
 */

import { multiply, reciprocal } from "../ops/index.js";
import { type Equation, type Program, producersOf, Variable } from "../program/index.js";
import { scanPrimitive } from "../scan/index.js";
import { inBody } from "./in-body.js";

/** The same Program with fewer divisions, inside loops too. */
export function reduceDivisions(program: Program): Program {
  const producers = producersOf(program);
  const equations = program.equations.flatMap((equation): Equation[] => {
    if (equation.primitive === scanPrimitive) return [inBody(equation, reduceDivisions)];
    const [dividend, divisor] = equation.inputs as [Variable, Variable];
    const repeated = equation.primitive.name === "divide" ? producers.get(divisor) : undefined;
    if (repeated?.primitive.name !== "broadcast") return [equation];
    const [small] = repeated.inputs as [Variable];
    if (!isSquareRoot(small, producers)) return [equation];
    const [inverse, wide] = [new Variable(small.type), new Variable(divisor.type)];
    return [
      { primitive: reciprocal.primitive, params: null, inputs: [small], outputs: [inverse] },
      { primitive: repeated.primitive, params: repeated.params, inputs: [inverse], outputs: [wide] },
      { primitive: multiply.primitive, params: null, inputs: [dividend, wide], outputs: equation.outputs },
    ];
  });
  return { ...program, equations };
}

function isSquareRoot(variable: Variable, producers: ReadonlyMap<Variable, Equation>): boolean {
  const made = producers.get(variable);
  if (made?.primitive.name === "reshape") return isSquareRoot(made.inputs[0] as Variable, producers);
  return made?.primitive.name === "sqrt";
}
