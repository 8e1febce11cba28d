/** Derivatives of all operations against differences, and against their compiled twins. */

import { describe, expect, test } from "vitest";
import { operationCases, withoutGradientCheck } from "../../test/contracts/operation.cases.js";
import { expectTensor } from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { flattenTree } from "../core/index.js";
import { compile } from "../runtime/index.js";
import { isFloat, isTensor, type Tensor, type TensorTree } from "../tensor/index.js";
import { checkGradients, jvp, valueAndGrad } from "../transforms/index.js";
import * as ops from "./index.js";

const leavesOf = (tree: TensorTree): Tensor[] => flattenTree(tree, isTensor).leaves;

const expectSame = (actual: TensorTree, expected: TensorTree): void => {
  const [found, wanted] = [leavesOf(actual), leavesOf(expected)];
  expect(found.length).toBe(wanted.length);
  wanted.forEach((leaf, index) => {
    expectTensor(found[index] as Tensor, leaf, TOLERANCES.exact);
  });
};

/** A scalar whose gradient differs from element to element. */
const loss = (tree: TensorTree): Tensor =>
  leavesOf(tree).reduce((total, leaf) => ops.add(total, ops.sum(ops.sin(leaf))), ops.zeros([], "float64"));

test("every exported operation has a gradient case or a reason to have none", () => {
  const exported = Object.entries(ops).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
  const listed = [...Object.keys(operationCases), ...Object.keys(withoutGradientCheck)];
  expect(exported.filter((name) => !listed.includes(name))).toEqual([]);
  expect(listed.filter((name) => !exported.includes(name))).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});

for (const [name, cases] of Object.entries(operationCases)) {
  describe(name, () => {
    for (const { about, f, inputs } of cases) {
      test(`${about}: both modes and orders agree with differences`, () => {
        const { comparisons } = checkGradients(f, inputs(), { order: 2, tolerance: TOLERANCES.gradient });
        expect(comparisons).toBe(6);
      });

      test(`${about}: compiled, it gives the same numbers, gradients and tangents`, () => {
        const given = inputs();
        const both = valueAndGrad((all: Tensor[]) => [loss(f(...all)), f(...all)] as const);
        const eager = both(given);
        const compiled = compile((all: Tensor[]) => {
          const { value, gradient, extra } = both(all);
          return { value, gradient, extra };
        })(given);
        expectSame(f(...given), eager.extra);
        expectSame(compiled, { value: eager.value, gradient: eager.gradient, extra: eager.extra });

        const directions = given.map((x) => (isFloat(x.dtype) ? ops.cos(x) : ops.zerosLike(x)));
        const push = (all: Tensor[], along: Tensor[]) => jvp((...x: Tensor[]) => f(...x), all, along).tangent;
        expectSame(compile(push)(given, directions), push(given, directions));
      });
    }
  });
}
