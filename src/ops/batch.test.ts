/** Batch rules of all operations: many sets of inputs at once give what they give one after the other. */

import { describe, expect, test } from "vitest";
import { operationCases } from "../../test/contracts/operation.cases.js";
import { expectTensor } from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { flattenTree } from "../core/index.js";
import { bind, type Equation, type Variable } from "../program/index.js";
import { isFloat, isTensor, type Tensor } from "../tensor/index.js";
import { traceTree, vjp } from "../transforms/index.js";
import * as ops from "./index.js";

const SETS = 3;

/** Other inputs of the same kind: floats a little larger, indices and conditions as they are. */
const variant = (x: Tensor, set: number): Tensor => (isFloat(x.dtype) ? ops.multiply(x, 1 + 0.01 * set) : x);

/** Runs the equations of a function and of its gradient one by one, on `SETS` sets of inputs each. */
function forEachEquation(
  f: (...inputs: Tensor[]) => unknown,
  inputs: Tensor[],
  visit: (equation: Equation, sets: Tensor[][], outputs: Tensor[][]) => void,
): void {
  const leaves = (tree: unknown) => flattenTree<Tensor>(tree, isTensor).leaves;
  const withGradient = (...given: Tensor[]) => {
    const { value, pullback } = vjp((...x: Tensor[]) => leaves(f(...x)), ...given);
    return [...value, ...pullback(value.map((result) => ops.add(result, result)))];
  };
  const { program, inputs: all } = traceTree(withGradient, inputs);
  const values = Array.from({ length: SETS }, (_, set) => {
    const known = new Map<Variable, Tensor>(
      program.inputs.map((variable, k) => [variable, variant(all[k] as Tensor, set)]),
    );
    return known;
  });
  for (const equation of program.equations) {
    const sets = values.map((known) => equation.inputs.map((variable) => known.get(variable) as Tensor));
    const outputs = sets.map((operands) => [...bind(equation.primitive, operands, equation.params)]);
    values.forEach((known, set) => {
      equation.outputs.forEach((variable, k) => {
        known.set(variable, outputs[set]?.[k] as Tensor);
      });
    });
    visit(equation, sets, outputs);
  }
}

const checked = new Set<string>();

describe.each(Object.entries(operationCases))("%s", (_, cases) => {
  test.each(cases)("$about: at once as one after the other", ({ f, inputs }) => {
    forEachEquation(f, inputs(), ({ primitive, params, inputs: operands }, sets, outputs) => {
      // All inputs differ from set to set, or all but one.
      const patterns = [operands.map(() => true), ...operands.map((_, shared) => operands.map((_, k) => k !== shared))];
      for (const batched of patterns.filter((pattern) => pattern.includes(true))) {
        const mixed = sets.map((set) => set.map((input, k) => (batched[k] ? input : (sets[0]?.[k] as Tensor))));
        const given = operands.map((_, k) =>
          batched[k] ? ops.stack(mixed.map((set) => set[k] as Tensor)) : (sets[0]?.[k] as Tensor),
        );
        const together = primitive.batch?.(given, params, batched, SETS);
        if (together === undefined) continue;
        checked.add(primitive.name);
        const apart = batched.includes(false) ? mixed.map((set) => bind(primitive, set, params)) : outputs;
        together.forEach((output, k) => {
          expectTensor(output, ops.stack(apart.map((one) => one[k] as Tensor)), TOLERANCES.float64);
        });
      }
    });
  });
});

test("the operations of a network have batch rules", () => {
  for (const name of [
    "matmul",
    "add",
    "multiply",
    "tanh",
    "sigmoid",
    "select",
    "reshape",
    "transpose",
    "slice",
    "pad",
  ]) {
    expect(checked, name).toContain(name);
  }
  for (const name of ["broadcast", "sum", "concatenate", "reverse", "gather", "cast", "stopGradient"]) {
    expect(checked, name).toContain(name);
  }
});
