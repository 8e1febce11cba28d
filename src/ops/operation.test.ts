/** Operations of users: one record with every rule. */

import { expect, test } from "vitest";
import { expectTensor, float64 } from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { compile } from "../runtime/index.js";
import { sizeOf, type Tensor, type TensorType, type View } from "../tensor/index.js";
import { checkGradients } from "../transforms/index.js";
import { defineOperation, multiply, type OperationRules } from "./index.js";

/** x³ */
const cubeRules: OperationRules<null> = {
  name: "cube",
  infer: ([x]) => x as TensorType,
  evaluate: ([x], output) => {
    const { data, offset } = x as View;
    for (let k = 0; k < sizeOf(output.shape); k++) output.data[output.offset + k] = (data[offset + k] as number) ** 3;
  },
  vjp: (cotangent, { inputs: [x] }) => [multiply(cotangent, multiply(multiply(x as Tensor, x as Tensor), 3))],
  jvp: ([tangent], { inputs: [x] }) => multiply(tangent as Tensor, multiply(multiply(x as Tensor, x as Tensor), 3)),
};

test("a defined operation runs, differentiates and compiles like the built-in ones", () => {
  const cube = defineOperation(cubeRules);
  const f = (x: Tensor) => multiply(cube([x], null), 2);
  expectTensor(f(float64(1, -2)), float64(2, -16));
  expectTensor(compile(f)(float64(1, -2)), float64(2, -16));
  expect(checkGradients(f, [float64(1, -2)]).maxError).toBeLessThan(TOLERANCES.gradient);
});

test("a record without one of its rules does not type-check", () => {
  const { jvp: _jvp, ...withoutJvp } = cubeRules;
  // @ts-expect-error: jvp is missing
  defineOperation<null>(withoutJvp);

  const { vjp: _vjp, ...withoutVjp } = cubeRules;
  // @ts-expect-error: vjp is missing
  defineOperation<null>(withoutVjp);

  const { infer: _infer, ...withoutInfer } = cubeRules;
  // @ts-expect-error: infer is missing
  defineOperation<null>(withoutInfer);

  const { evaluate: _evaluate, ...withoutEvaluate } = cubeRules;
  // @ts-expect-error: evaluate is missing
  defineOperation<null>(withoutEvaluate);

  // @ts-expect-error: of the rules, only the word "linear" is known
  defineOperation<null>({ ...cubeRules, jvp: "bilinear" });
});
