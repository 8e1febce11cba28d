/** Program to equivalent Program that does less: nothing unread, nothing twice, and as little as possible inside loops. */

import { bind, type Program, pruneProgram, type TracedProgram, trace, type Variable } from "../program/index.js";
import { applyScan, hoistScan, type ScanParams, scanPrimitive } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { mergeCommon } from "./merge-common.js";

/**
 * Prunes, merges common subexpressions, and hoists out of loops, innermost first.
 * @returns the Program, its inputs those of the given one followed by constants that the passes brought in
 */
export function optimize(program: Program): TracedProgram {
  const { program: hoisted, captured } = trace(
    (...inputs) => hoistLoops(mergeCommon(pruneProgram(program)), inputs),
    program.inputs.map(({ type }) => type),
  );
  return { program: pruneProgram(mergeCommon(pruneProgram(hoisted))), captured };
}

/** Writes a Program down again, with every scan replaced by what is left of it and what was taken out. */
function hoistLoops(program: Program, inputs: readonly Tensor[]): Tensor[] {
  const values = new Map<Variable, Tensor>(
    program.inputs.map((variable, index) => [variable, inputs[index] as Tensor]),
  );
  const lookUp = (variable: Variable) => values.get(variable) as Tensor;
  for (const { primitive, params, inputs: operands, outputs } of program.equations) {
    const given = operands.map(lookUp);
    const results = primitive === scanPrimitive ? hoist(given, params as ScanParams) : bind(primitive, given, params);
    outputs.forEach((variable, index) => {
      values.set(variable, results[index] as Tensor);
    });
  }
  return program.outputs.map(lookUp);
}

function hoist(inputs: readonly Tensor[], params: ScanParams): readonly Tensor[] {
  const { program: body, captured } = optimize(params.body);
  return hoistScan(applyScan, [...inputs, ...captured], { ...params, body });
}
