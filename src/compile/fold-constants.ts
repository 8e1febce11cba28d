/**
 * What is computed from constants alone is computed while compiling: the packing of weights that never change, above all. Not loops and
 * products: here the reference kernels compute, and what takes them seconds takes the others milliseconds at each run. And not what
 * only repeats a constant: kernels read it as often as it is needed.
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
  if (constants.length === 0) return { program, constants };
  const inputCount = program.inputs.length - constants.length;
  const given = program.inputs.slice(inputCount);
  const foldable = foldableEquations(program, given);
  // From the end: what is left reads these, and what is computed now reads those.
  const [readLater, readNow] = [new Set(program.outputs), new Set<Variable>()];
  const [later, now]: [Equation[], Equation[]] = [[], []];
  for (const equation of program.equations.toReversed()) {
    const isReadBy = (readers: Set<Variable>) => equation.outputs.some((output) => readers.has(output));
    const isLeft = !foldable.has(equation) || (repeats(equation) && isReadBy(readLater));
    const isComputed = foldable.has(equation) && (isReadBy(readNow) || (!isLeft && isReadBy(readLater)));
    if (isLeft) later.push(equation);
    if (isComputed) now.push(equation);
    for (const input of equation.inputs) {
      if (isLeft) readLater.add(input);
      if (isComputed) readNow.add(input);
    }
  }
  const known = new Map(given.map((variable, index) => [variable, constants[index] as HostTensor]));
  for (const equation of now.reverse()) compute(equation, known);
  const madeLater = new Set(later.flatMap(({ outputs }) => outputs));
  const kept = [...known].filter(([variable]) => readLater.has(variable) && !madeLater.has(variable));
  return {
    program: {
      inputs: [...program.inputs.slice(0, inputCount), ...kept.map(([variable]) => variable)],
      equations: later.reverse(),
      outputs: program.outputs,
    },
    constants: kept.map(([, value]) => value),
  };
}

/** Those that read nothing but constants, and are worth it. */
function foldableEquations(program: Program, given: readonly Variable[]): Set<Equation> {
  const known = new Set(given);
  const foldable = new Set<Equation>();
  for (const equation of program.equations) {
    const { primitive, inputs, outputs } = equation;
    const isLarge = primitive === scanPrimitive || primitive === productPrimitive || primitive.prefersBatch === true;
    if (isLarge || inputs.length === 0 || !inputs.every((input) => known.has(input))) continue;
    foldable.add(equation);
    for (const output of outputs) known.add(output);
  }
  return foldable;
}

/** Whether it does nothing but repeat what it reads. */
const repeats = ({ primitive }: Equation): boolean => primitive.name === "broadcast";

/** Adds the results of an equation to what is known. */
function compute(equation: Equation, known: Map<Variable, HostTensor>): void {
  const { inputs, outputs } = equation;
  const values = inputs.map((input) => known.get(input) as HostTensor);
  const results = evaluateProgram({ inputs, equations: [equation], outputs }, values);
  outputs.forEach((output, index) => {
    known.set(output, results[index] as HostTensor);
  });
}
