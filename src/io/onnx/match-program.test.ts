/** Programs against patterns. */

import { describe, expect, test } from "vitest";
import { add, matmul, multiply, sigmoid, slice, subtract, tanh } from "../../ops/index.js";
import { type Program, trace, type Variable } from "../../program/index.js";
import type { Tensor } from "../../tensor/index.js";
import { matchProgram } from "./match-program.js";

type F = (x: Tensor, ...weights: Tensor[]) => Tensor;
const programOf = (f: F, weights: number): Program =>
  trace(
    (...inputs) => [f(...(inputs as [Tensor, ...Tensor[]]))],
    Array.from({ length: 1 + weights }, () => ({ dtype: "float32" as const, shape: [3, 3] })),
  ).program;

/** For each weight of the pattern, the place of the weight that it stands for; undefined if there is no match. */
function match(pattern: F, program: F, weights = 2): number[] | undefined {
  const [wanted, given] = [programOf(pattern, weights), programOf(program, weights)];
  const bindings = matchProgram(
    wanted,
    given,
    [[wanted.outputs[0] as Variable, given.outputs[0] as Variable]],
    new Map([[wanted.inputs[0] as Variable, given.inputs[0] as Variable]]),
    new Set(given.inputs.slice(1)),
  );
  return (
    bindings && wanted.inputs.slice(1).map((variable) => given.inputs.indexOf(bindings.get(variable) as Variable) - 1)
  );
}

describe("matchProgram", () => {
  const pattern: F = (x, a, b) => tanh(add(add(matmul(x, a!), b!), multiply(x, sigmoid(x))));

  test("finds the weights, whatever their order and that of summands, factors and brackets", () => {
    expect(match(pattern, pattern)).toEqual([0, 1]);
    expect(match(pattern, (x, b, a) => tanh(add(multiply(sigmoid(x), x), add(b!, matmul(x, a!)))))).toEqual([1, 0]);
    expect(match(pattern, (x, a, b) => tanh(add(matmul(x, a!), add(multiply(x, sigmoid(x)), b!))))).toEqual([0, 1]);
  });

  test.each<[what: string, program: F]>([
    ["another function", (x, a, b) => sigmoid(add(add(matmul(x, a!), b!), multiply(x, sigmoid(x))))],
    ["one summand less", (x, a) => tanh(add(matmul(x, a!), multiply(x, sigmoid(x))))],
    ["one summand more", (x, a, b) => tanh(add(add(add(matmul(x, a!), b!), multiply(x, sigmoid(x))), b!))],
    [
      "operands of a product the other way round",
      (x, a, b) => tanh(add(add(matmul(a!, x), b!), multiply(x, sigmoid(x)))),
    ],
    [
      "a transposed operand",
      (x, a, b) => tanh(add(add(matmul(x, a!, { transposeB: true }), b!), multiply(x, sigmoid(x)))),
    ],
    ["a difference for a sum", (x, a, b) => tanh(subtract(add(matmul(x, a!), multiply(x, sigmoid(x))), b!))],
    ["a computed weight", (x, a, b) => tanh(add(add(matmul(x, tanh(a!)), b!), multiply(x, sigmoid(x))))],
    ["the input in place of a weight", (x, _, b) => tanh(add(add(matmul(x, x), b!), multiply(x, sigmoid(x))))],
  ])("does not match %s", (_, program) => {
    expect(match(pattern, program)).toBeUndefined();
  });

  test("one weight of the pattern is one weight, wherever it stands", () => {
    const twice: F = (x, a) => add(matmul(x, a!), tanh(a!));
    expect(match(twice, (x, _, a) => add(matmul(x, a!), tanh(a!)))?.[0]).toBe(1);
    expect(match(twice, (x, a, b) => add(matmul(x, a!), tanh(b!)))).toBeUndefined();
  });

  test("parameters of operations must agree, -0 and 0 kept apart", () => {
    const part =
      (start: number): F =>
      (x) =>
        slice(x, 0, start, start + 1);
    expect(match(part(1), part(1))).toBeDefined();
    expect(match(part(1), part(2))).toBeUndefined();
    const times =
      (factor: number): F =>
      (x) =>
        multiply(x, factor);
    expect(match(times(0), times(-0))).toBeUndefined();
    expect(match(times(Number.NaN), times(Number.POSITIVE_INFINITY))).toBeUndefined();
  });
});
