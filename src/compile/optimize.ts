/** Program to equivalent Program that does less: nothing unread, nothing twice, and as little as possible inside loops. */

import { expandDims, squeeze } from "../ops/index.js";
import {
  type bind,
  inline,
  type Primitive,
  type Program,
  pruneProgram,
  type TracedProgram,
  trace,
} from "../program/index.js";
import { applyScan, hasManyRows, hoistScan, type IsFastInStep, type ScanParams, scanPrimitive } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { bindExpanded, isCustom } from "../transforms/index.js";
import { mergeCommon } from "./merge-common.js";
import { simplify } from "./simplify.js";

/**
 * Prunes, merges common subexpressions, simplifies, and hoists out of loops, innermost first.
 * @param isFastInStep which operations that prefer a batch stay in loops. Default: products of many rows
 * @returns the Program, its inputs those of the given one followed by constants that the passes brought in
 */
export function optimize(program: Program, isFastInStep: IsFastInStep = hasManyRows): TracedProgram {
  const tidied = tidy(program);
  if (!tidied.equations.some(({ primitive }) => primitive === scanPrimitive || isCustom(primitive)))
    return { program: tidied, captured: [] };
  const { program: hoisted, captured } = trace(
    (...inputs) => inline(tidied, inputs, bindHoisted(isFastInStep)),
    tidied.inputs.map(({ type }) => type),
  );
  return { program: tidy(hoisted), captured };
}

const tidy = (program: Program): Program => pruneProgram(mergeCommon(simplify(pruneProgram(program))));

type Apply = typeof bind;

/** Writes an operation down as it is (a function with a way back of its own as what it does), and a scan as what is left of it and what was taken out. */
function bindHoisted(isFastInStep: IsFastInStep): Apply {
  const apply: Apply = (primitive, inputs, params) => {
    if ((primitive as Primitive) !== scanPrimitive) return bindExpanded(primitive, inputs, params);
    const scan = params as ScanParams;
    if (scan.length === 1) return inlineStep(inputs, scan, apply);
    const { program: body, captured } = optimize(scan.body, isFastInStep);
    return hoistScan(applyScan, [...inputs, ...captured], { ...scan, body }, isFastInStep);
  };
  return apply;
}

/** A loop of one step is its body. */
function inlineStep(inputs: readonly Tensor[], { body, carries, slices }: ScanParams, apply: Apply): readonly Tensor[] {
  const isSlice = (index: number) => index >= carries && index < carries + slices;
  const given = inputs.map((input, index) => (isSlice(index) ? squeeze(input, 0) : input));
  return inline(body, given, apply).map((output, index) => (index < carries ? output : expandDims(output, 0)));
}
