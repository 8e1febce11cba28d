import { describe, expect, test } from "vitest";
import { expectClose } from "../../test/close.js";
import { float32, inputsOf, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import { evaluateProgram, type Program, printProgram } from "../program/index.js";
import { scan } from "../scan/index.js";
import type { HostTensor, Tensor, TensorType } from "../tensor/index.js";
import { foldConstants, type WithConstants } from "./fold-constants.js";
import { prepareFor } from "./prepare-for.js";

/** Folds a function whose last inputs are constants; its numbers are those of the function. */
function folded(
  f: (...inputs: never[]) => readonly Tensor[],
  types: readonly TensorType[],
  constantCount: number,
  fold: (given: WithConstants) => WithConstants = foldConstants,
): WithConstants {
  const program = programOf(f as never, ...types);
  const inputs = inputsOf(program);
  const variable = inputs.slice(0, inputs.length - constantCount);
  const result = fold({ program, constants: inputs.slice(variable.length) as HostTensor[] });
  const results = evaluateProgram(result.program, [...variable, ...result.constants]);
  expectClose(results, evaluateProgram(program, inputs), fold === foldConstants ? 0 : 1e-6);
  return result;
}

const namesOf = ({ equations }: Program): string[] => equations.map(({ primitive }) => primitive.name);

describe("foldConstants", () => {
  const matrix = float32(2, 3);

  test("computes what reads constants alone, and keeps the constants that are still read", () => {
    const f = (x: Tensor, a: Tensor, b: Tensor) => {
      const sine = ops.sin(ops.add(a, b));
      return [ops.multiply(x, sine), ops.add(x, b), ops.cos(sine)];
    };
    const { program, constants } = folded(f, [matrix, matrix, matrix], 2);
    expect(printProgram(program)).toMatchInlineSnapshot(`
      "(a: float32[2,3], b: float32[2,3], c: float32[2,3], d: float32[2,3]) {
        e: float32[2,3] = multiply a c
        f: float32[2,3] = add a b
        return e f d
      }"
    `);
    expect(constants.length).toBe(3);
  });

  test("leaves alone what reads an input, or nothing", () => {
    const f = (x: Tensor, a: Tensor) => [ops.multiply(ops.add(x, a), ops.fill([2, 3], 2))];
    const { program } = folded(f, [matrix, matrix], 1);
    expect(namesOf(program)).toEqual(["add", "fill", "multiply"]);
  });

  test("leaves loops alone: their results may be far larger than they are", () => {
    const f = (a: Tensor) => [scan((h: Tensor) => [ops.sin(h), []], a, [], { length: 5 })[0]];
    expect(namesOf(folded(f, [matrix], 1).program)).toEqual(["scan"]);
  });

  test("does not write out a constant that is only repeated, but computes with it", () => {
    const f = (x: Tensor, a: Tensor) => {
      const repeated = ops.broadcastTo(ops.sin(a), [2, 3]);
      return [ops.multiply(x, repeated), ops.add(x, ops.cos(repeated))];
    };
    const { program, constants } = folded(f, [matrix, float32(3)], 1);
    expect(namesOf(program)).toEqual(["broadcast", "multiply", "add"]);
    expect(constants.map(({ shape }) => shape)).toEqual([[3], [2, 3]]);
  });

  test("does not compute what nobody reads", () => {
    const f = (x: Tensor, a: Tensor) => {
      ops.sin(a);
      return [ops.add(x, a)];
    };
    const { program, constants } = folded(f, [matrix, matrix], 1);
    expect(namesOf(program)).toEqual(["add"]);
    expect(constants.length).toBe(1);
  });

  test("keeps a constant that is a result, and all inputs", () => {
    const f = (_: Tensor, a: Tensor, b: Tensor) => [a, ops.sin(b)];
    const { program, constants } = folded(f, [matrix, matrix, matrix], 2);
    expect(program.inputs.length).toBe(3);
    expect(constants.length).toBe(2);
  });
});

describe("prepareFor", () => {
  const prepare = (given: WithConstants) => prepareFor({ panel: 4, width: 2 }, given.program, given.constants);

  test("packs weights that never change while compiling", () => {
    const f = (x: Tensor, w: Tensor, b: Tensor) => [ops.tanh(ops.add(ops.matmul(x, w), b))];
    const { program, constants } = folded(f, [float32(2, 3), float32(3, 6), float32(6)], 2, prepare);
    expect(namesOf(program)).toEqual(["product", "fused"]);
    expect(constants.map(({ shape }) => shape)).toEqual([[6], [18]]);
  });

  test("packs those of a loop, too, and hands their panels in", () => {
    const f = (xs: Tensor, w: Tensor, start: Tensor) =>
      scan((h: Tensor, x: Tensor) => [ops.tanh(ops.add(ops.matmul(h, w), x)), h], start, xs);
    const { program, constants } = folded(f, [float32(4, 2, 3), float32(3, 3), float32(2, 3)], 2, prepare);
    expect(namesOf(program)).toEqual(["scan"]);
    expect(constants.map(({ shape }) => shape)).toEqual([[2, 3], [12]]);
  });
});
