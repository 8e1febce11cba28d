/** Whether a result may be written over an operand. */

import { concatenatePrimitive, slicePrimitive } from "../ops/index.js";
import type { Equation, Program, Variable } from "../program/index.js";
import { sameType } from "../tensor/index.js";
import { accumulatePrimitive } from "./accumulate.js";
import { type FusedParams, fusedPrimitive } from "./fused.js";
import { lastReaders } from "./last-readers.js";
import { productPrimitive } from "./product.js";
import { type RowwiseParams, rowwisePrimitive } from "./rowwise.js";

/**
 * Whether each element of a result can be written as soon as it is computed over the same element of an operand that nobody reads later:
 * the equation is fused, reads the operand element by element only, and not after it computes the result; or adds rows to it; or is a
 * product that is added to it. Of several groups that go row by row, the last that reads the operand computes the result.
 */
export function readsInPlace(
  { primitive, params, inputs, outputs }: Equation,
  operand: Variable,
  result: Variable,
): boolean {
  if (inputs.filter((input) => input === operand).length !== 1) return false;
  if (primitive === productPrimitive) return inputs[2] === operand && sameType(operand.type, result.type);
  if (primitive !== fusedPrimitive && primitive !== rowwisePrimitive) return false;
  const { body } = params as FusedParams | RowwiseParams;
  const inner = body.inputs[inputs.indexOf(operand)] as Variable;
  const written = body.outputs[outputs.indexOf(result)] as Variable;
  if (primitive === rowwisePrimitive) {
    const reader = body.equations.findLast((equation) => equation.inputs.includes(inner));
    return reader?.outputs.includes(written) === true && readsInPlace(reader, inner, written);
  }
  const made = body.equations.find((equation) => equation.outputs.includes(written));
  if (made?.primitive === concatenatePrimitive) return joinsInPlace(body, made, inner);
  return isReadUntil(body, inner, written);
}

/** Whether element by element operations alone read a variable of a group, up to the one that computes another. */
function isReadUntil(body: Program, variable: Variable, result: Variable): boolean {
  const computed = body.equations.findIndex((equation) => equation.outputs.includes(result));
  return (
    !body.outputs.includes(variable) &&
    writesWhereItReads(body.equations[computed]) &&
    body.equations.every(
      (equation, index) => !equation.inputs.includes(variable) || (index <= computed && writesWhereItReads(equation)),
    )
  );
}

/** Whether an operand is read in the parts that a group stores, and each part until it is computed. */
function joinsInPlace(body: Program, { params, inputs: parts, outputs }: Equation, operand: Variable): boolean {
  const { axis } = params as { axis: number };
  if (!sameType(operand.type, (outputs[0] as Variable).type)) return false;
  // Parts of a group are equal.
  const width = parts[0]?.type.shape[axis] as number;
  return body.equations.every(({ primitive, params: sliceParams, inputs, outputs: [piece] }) => {
    if (!inputs.includes(operand)) return true;
    if (primitive !== slicePrimitive) return false;
    const { starts, steps } = sliceParams as { starts: readonly number[]; steps: readonly number[] };
    const part = parts[(starts[axis] as number) / width];
    return part !== undefined && steps.every((step) => step === 1) && isReadUntil(body, piece as Variable, part);
  });
}

/**
 * For a Program, tells what it computes that can lie, one after the other, in the place of a result: each is computed in the place of the one
 * before, by the last reader of that one. With an input whose place that is: undefined if the result cannot come there.
 */
export function chainsInPlace(program: Program): (result: Variable, input?: Variable) => Variable[] | undefined {
  const last = lastReaders(program);
  const before = (value: Variable, input?: Variable): Variable[] | undefined => {
    const index = program.equations.findIndex(({ outputs }) => outputs.includes(value));
    const equation = program.equations[index];
    for (const operand of new Set(equation?.inputs)) {
      if (last.get(operand) !== index || !sameType(operand.type, value.type)) continue;
      if (!readsInPlace(equation as Equation, operand, value)) continue;
      if (operand === input) return [];
      const chain = program.inputs.includes(operand) ? undefined : before(operand, input);
      if (chain !== undefined) return [...chain, operand];
    }
    return input === undefined ? [] : undefined;
  };
  return before;
}

const writesWhereItReads = (equation: Equation | undefined): boolean =>
  equation?.primitive.pointwise === true || equation?.primitive === accumulatePrimitive;
