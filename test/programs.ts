/** Programs for tests of passes over them: written by tracing, and compared by their numbers. */

import { expect } from "vitest";
import { evaluateProgram, type Program, trace } from "../src/program/index.js";
import type { Tensor, TensorType } from "../src/tensor/index.js";
import { expectClose, int32, numbers } from "./close.js";

export const float32 = (...shape: number[]): TensorType => ({ dtype: "float32", shape });
export const float64 = (...shape: number[]): TensorType => ({ dtype: "float64", shape });

/** What a function does to inputs of these types; it reads no other tensors. */
export function programOf(f: (...inputs: Tensor[]) => readonly Tensor[], ...types: TensorType[]): Program {
  const { program, captured } = trace(f, types);
  expect(captured).toEqual([]);
  return program;
}

/** Numbers for inputs of a Program: the same at every call; int32 ones are 0 and 1. */
export const inputsOf = ({ inputs }: Program): Tensor[] =>
  inputs.map(({ type: { dtype, shape } }, index) => {
    const values = numbers(100 + index, shape, dtype === "int32" ? "float64" : dtype);
    return dtype === "int32"
      ? int32(
          Array.from(values.data, (value) => (value > 0 ? 1 : 0)),
          shape,
        )
      : values;
  });

/** Fails unless both Programs, of the same inputs, give the same numbers. */
export function expectSameResults(actual: Program, expected: Program, tolerance = 0): void {
  const inputs = inputsOf(expected);
  expectClose(evaluateProgram(actual, inputs), evaluateProgram(expected, inputs), tolerance);
}
