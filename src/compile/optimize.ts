/** Program to equivalent Program that does less: nothing unread, nothing twice, and as little as possible inside loops. */

import { expandDims, squeeze } from "../ops/index.js";
import { inline, type Primitive, type Program, pruneProgram, type TracedProgram, trace } from "../program/index.js";
import { applyScan, hoistScan, type ScanParams, scanPrimitive } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { bindExpanded, isCustom } from "../transforms/index.js";
import { mergeCommon } from "./merge-common.js";
import { simplify } from "./simplify.js";

/**
 * Prunes, merges common subexpressions, simplifies, and hoists out of loops, innermost first.
 * @returns the Program, its inputs those of the given one followed by constants that the passes brought in
 */
export function optimize(program: Program): TracedProgram {
  const tidied = tidy(program);
  if (!tidied.equations.some(({ primitive }) => primitive === scanPrimitive || isCustom(primitive)))
    return { program: tidied, captured: [] };
  const { program: hoisted, captured } = trace(
    (...inputs) => inline(tidied, inputs, bindHoisted),
    tidied.inputs.map(({ type }) => type),
  );
  return { program: tidy(hoisted), captured };
}

const tidy = (program: Program): Program => pruneProgram(mergeCommon(simplify(pruneProgram(program))));

/** Writes an operation down as it is (a function with a way back of its own as what it does), and a scan as what is left of it and what was taken out. */
function bindHoisted<Params>(
  primitive: Primitive<Params>,
  inputs: readonly Tensor[],
  params: Params,
): readonly Tensor[] {
  if ((primitive as Primitive) !== scanPrimitive) return bindExpanded(primitive, inputs, params);
  const scan = params as ScanParams;
  if (scan.length === 1) return inlineStep(inputs, scan);
  const { program: body, captured } = optimize(scan.body);
  return hoistScan(applyScan, [...inputs, ...captured], { ...scan, body });
}

/** A loop of one step is its body. */
function inlineStep(inputs: readonly Tensor[], { body, carries, slices }: ScanParams): readonly Tensor[] {
  const isSlice = (index: number) => index >= carries && index < carries + slices;
  const given = inputs.map((input, index) => (isSlice(index) ? squeeze(input, 0) : input));
  return inline(body, given, bindHoisted).map((output, index) => (index < carries ? output : expandDims(output, 0)));
}
