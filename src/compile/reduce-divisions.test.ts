import { expect, test } from "vitest";
import { expectClose } from "../../test/close.js";
import { float32, inputsOf, programOf } from "../../test/programs.js";
import { TOLERANCES } from "../../test/tolerances.js";
import * as ops from "../ops/index.js";
import { evaluateProgram, type Program, pruneProgram } from "../program/index.js";
import type { Tensor } from "../tensor/index.js";
import { reduceDivisions } from "./reduce-divisions.js";

function reduced(f: (...inputs: never[]) => readonly Tensor[]): string[] {
  const program: Program = programOf(f as never, float32(3, 4), float32(3));
  const result = pruneProgram(reduceDivisions(program));
  const inputs = inputsOf(program).map((input) => ops.abs(input));
  expectClose(evaluateProgram(result, inputs), evaluateProgram(program, inputs), TOLERANCES.float32);
  return result.equations.map(({ primitive }) => primitive.name);
}

const column = (x: Tensor) => ops.reshape(x, [3, 1]);

test("division by a repeated square root is multiplication by its reciprocal", () => {
  expect(reduced((x: Tensor, y: Tensor) => [ops.divide(x, column(ops.sqrt(y)))])).toEqual(
    expect.arrayContaining(["sqrt", "reciprocal", "broadcast", "multiply"]),
  );
});

test("other divisions stay: a reciprocal may be too small where a quotient is not", () => {
  expect(reduced((x: Tensor, y: Tensor) => [ops.divide(x, column(y))])).toContain("divide");
  expect(reduced((x: Tensor) => [ops.divide(x, ops.sqrt(x))])).toContain("divide");
});
