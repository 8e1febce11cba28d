/** Functions whose way back is written by hand, because a formula is known that is shorter or more exact than what would be derived. */

import { TraceError } from "../core/index.js";
import { addDerivatives, zerosLike } from "../ops/index.js";
import {
  bind,
  type Derivative,
  evaluateBody,
  inline,
  type Primitive,
  type Program,
  trace,
  type Variable,
} from "../program/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";
import { forwardMode } from "./forward-mode.js";
import { reverseMode } from "./reverse-mode.js";

/** A result, and what its way back needs beside it. */
export interface ForwardResult {
  readonly result: Tensor;
  readonly kept?: readonly Tensor[];
}

/** What a way back may use: the inputs, the result, and what was kept. */
export interface BackwardGiven {
  readonly inputs: readonly Tensor[];
  readonly result: Tensor;
  readonly kept: readonly Tensor[];
}

interface CustomParams {
  /** The function: its result, then what is kept. */
  readonly body: Program;
  readonly backward: (cotangent: Tensor, given: BackwardGiven) => readonly Derivative[];
}

/** A function with a way back of its own. Once all is differentiated, it is its body. */
const customPrimitive: Primitive<CustomParams> = {
  name: "custom",
  infer: (_, { body }) => body.outputs.map(({ type }) => type),
  evaluate: evaluateBody,
  vjp: (inputs, params) => {
    const outputs = bind(customPrimitive, inputs, params);
    const [result, ...kept] = outputs as [Tensor, ...Tensor[]];
    return {
      outputs,
      pullback: ([cotangent, ...ofKept]) => {
        const own = cotangent ? params.backward(cotangent, { inputs, result, kept }) : [];
        if (ofKept.every((one) => one === undefined)) return own;
        const through = pullKept(params.body, inputs, ofKept);
        return inputs.map((_, index) => addDerivatives([own[index], through[index]]));
      },
    };
  },
  jvp: (inputs, tangents, { body }) => forwardMode(body, inputs, tangents),
  print: ({ body }, printProgram) => printProgram(body),
};

/** Takes cotangents of what was kept back to the inputs: only derivatives of gradients have such. */
function pullKept(body: Program, inputs: readonly Tensor[], cotangents: readonly Derivative[]): Derivative[] {
  const kept: Program = { ...body, outputs: body.outputs.slice(1) };
  const split = reverseMode(
    kept,
    inputs.map(() => true),
  );
  const residuals = inline(split.forward, [...inputs, ...split.captured]).slice(kept.outputs.length);
  const seeds = split.activeOutputs.map(
    (output) => cotangents[output] ?? zerosLike((kept.outputs[output] as Variable).type),
  );
  const pulled = inline(split.backward, [...seeds, ...residuals]);
  return inputs.map((_, index) => pulled[split.reachedInputs.indexOf(index)]);
}

/**
 * A function of tensors with a way back of its own. Reverse mode uses `backward`; forward mode goes through `forward`; derivatives of
 * gradients go through `backward`, so it is made of operations, too.
 * @param forward gives the result, and tensors that the way back needs
 * @param backward from the cotangent of the result to those of the inputs, in order; undefined for none
 * @throws TraceError when called, if `forward` reads a traced tensor that is not among its inputs
 * @example const cube = customGradient((x) => ({ result: multiply(x, square(x)), kept: [square(x)] }), (g, { kept: [s] }) => [multiply(g, multiply(s, 3))]);
 */
export function customGradient(
  forward: (...inputs: Tensor[]) => ForwardResult,
  backward: (cotangent: Tensor, given: BackwardGiven) => readonly Derivative[],
): (...inputs: Tensor[]) => Tensor {
  return (...inputs) => {
    const { program: body, captured } = trace(
      (...tracers) => {
        const { result, kept = [] } = forward(...tracers);
        return [result, ...kept];
      },
      inputs.map(({ dtype, shape }): TensorType => ({ dtype, shape })),
    );
    if (captured.length > 0)
      throw new TraceError("customGradient: the function reads a tensor that is not among its inputs; hand it in");
    return bind(customPrimitive, inputs, { body, backward })[0] as Tensor;
  };
}

/** Whether an operation is a function with a way back of its own. */
export const isCustom = (primitive: Primitive): boolean => primitive === customPrimitive;

/** `bind`, but for functions with a way back of their own: those are what they do. For passes behind differentiation. */
export const bindExpanded: typeof bind = (primitive, inputs, params) =>
  isCustom(primitive as Primitive)
    ? inline((params as CustomParams).body, inputs, bindExpanded)
    : bind(primitive, inputs, params);
