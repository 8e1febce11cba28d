/** Takes into loops what only repeats a smaller tensor or a number: inside, it is read where it is, and nothing is written out for it. */

import { type Equation, type Program, producersOf, pruneProgram, Variable } from "../program/index.js";
import { type ScanParams, scanPrimitive } from "../scan/index.js";
import { constantsOf } from "./before-loop.js";

type Producers = ReadonlyMap<Variable, Equation>;

/** The same Program, with fills and broadcasts that loops read as constants made inside those loops. */
export function sinkIntoLoops(program: Program): Program {
  if (!program.equations.some(({ primitive }) => primitive === scanPrimitive)) return program;
  const producers = producersOf(program);
  const equations = program.equations.map((equation) =>
    equation.primitive === scanPrimitive ? sinkInto(equation, producers) : equation,
  );
  return pruneProgram({ ...program, equations });
}

function sinkInto(equation: Equation, producers: Producers): Equation {
  const params = equation.params as ScanParams;
  const { body } = params;
  const constants = constantsOf(equation);
  const chains = body.inputs.map((variable) => {
    const outside = constants.get(variable);
    return outside && repetition(outside, producers);
  });
  const sources: Variable[] = [];
  const inner: Variable[] = [];
  const made = chains.flatMap((chain, index): Equation[] => {
    if (chain === undefined) return [];
    let current: Variable | undefined;
    if (chain.source !== undefined) {
      current = new Variable(chain.source.type);
      sources.push(chain.source);
      inner.push(current);
    }
    return chain.equations.map((link, k) => {
      const last = k === chain.equations.length - 1;
      const output = last ? (body.inputs[index] as Variable) : new Variable((link.outputs[0] as Variable).type);
      const copied = { ...link, inputs: current === undefined ? [] : [current], outputs: [output] };
      current = output;
      return copied;
    });
  });
  const isKept = (_: Variable, index: number) => chains[index] === undefined;
  const inside: Program = {
    inputs: [...body.inputs.filter(isKept), ...inner],
    equations: [...made, ...body.equations],
    outputs: body.outputs,
  };
  return {
    ...equation,
    params: { ...params, body: sinkIntoLoops(inside) },
    inputs: [...equation.inputs.filter(isKept), ...sources],
  };
}

/** How a variable is made from a smaller one by repeating it, or from nothing. */
function repetition(
  variable: Variable,
  producers: Producers,
): { readonly source?: Variable; readonly equations: readonly Equation[] } | undefined {
  const equations: Equation[] = [];
  let repeats = false;
  let source: Variable | undefined = variable;
  for (;;) {
    const made: Equation | undefined = source && producers.get(source);
    if (made === undefined || !["broadcast", "reshape", "fill"].includes(made.primitive.name)) break;
    equations.unshift(made);
    repeats ||= made.primitive.name !== "reshape";
    source = made.inputs[0];
  }
  return repeats ? { ...(source && { source }), equations } : undefined;
}
