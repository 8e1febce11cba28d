/**
 * Forward mode: a Program that computes outputs together with their tangents, in one pass.
 * @see Griewank & Walther 2008, Evaluating Derivatives, chapter 3
 */

import { bind, type Derivative, type Program, type Variable } from "../program/index.js";
import { isFloat, type Tensor } from "../tensor/index.js";

/** Outputs, and their tangents; `undefined` stands for zero. */
export interface ForwardMode {
  readonly outputs: Tensor[];
  readonly tangents: Derivative[];
}

/** Runs (or traces) a Program with tangents of its inputs; those of integers count as zero. */
export function forwardMode(program: Program, inputs: readonly Tensor[], tangents: readonly Derivative[]): ForwardMode {
  const values = new Map<Variable, Tensor>();
  const pushed = new Map<Variable, Derivative>();
  program.inputs.forEach((variable, index) => {
    values.set(variable, inputs[index] as Tensor);
    pushed.set(variable, isFloat(variable.type.dtype) ? tangents[index] : undefined);
  });
  for (const { primitive, params, inputs: operands, outputs } of program.equations) {
    const primals = operands.map((variable) => values.get(variable) as Tensor);
    const directions = operands.map((variable) => pushed.get(variable));
    const moving = directions.some((direction) => direction !== undefined);
    const result = moving
      ? primitive.jvp(primals, directions, params)
      : { outputs: bind(primitive, primals, params), tangents: [] };
    outputs.forEach((variable, index) => {
      values.set(variable, result.outputs[index] as Tensor);
      pushed.set(variable, result.tangents[index]);
    });
  }
  return {
    outputs: program.outputs.map((variable) => values.get(variable) as Tensor),
    tangents: program.outputs.map((variable) => pushed.get(variable)),
  };
}
