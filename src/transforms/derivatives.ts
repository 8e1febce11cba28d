/** Derivatives of functions over trees of tensors: grad, valueAndGrad, vjp, jvp. All can be nested and traced. */

import { flattenTree, GradientError, unflattenTree } from "../core/index.js";
import { ones, zerosLike } from "../ops/index.js";
import { inline, type Program, type Variable } from "../program/index.js";
import { formatType, isTensor, type Tensor, type TensorTree } from "../tensor/index.js";
import { forwardMode } from "./forward-mode.js";
import { reverseMode } from "./reverse-mode.js";
import { traceTree } from "./trace-tree.js";

/** Leaves of a tree of the arguments' form: given cotangents where there are some, zeros elsewhere. */
const completeWithZeros = (
  like: readonly Tensor[],
  reached: readonly number[],
  cotangents: readonly Tensor[],
): Tensor[] => {
  const complete = like.map(zerosLike);
  reached.forEach((input, index) => {
    complete[input] = cotangents[index] as Tensor;
  });
  return complete;
};

/** Result of `vjp`: the value, and the function from a cotangent of the value to cotangents of all arguments. */
export interface VectorJacobianProduct<Args extends readonly TensorTree[], Result extends TensorTree> {
  readonly value: Result;
  /** v -> v ∂f/∂(arguments) */
  readonly pullback: (cotangent: Result) => Args;
}

/**
 * Reverse mode: value of a function, and its pullback  v -> v ∂f/∂(arguments).
 * Cotangents of integer arguments are zero.
 * @example const { value, pullback } = vjp((x) => tanh(x), x); const [gradient] = pullback(ones([3]));
 */
export function vjp<const Args extends readonly TensorTree[], Result extends TensorTree>(
  f: (...args: Args) => Result,
  ...args: Args
): VectorJacobianProduct<Args, Result> {
  const traced = traceTree(f, args);
  const argumentLeaves = flattenTree(args, isTensor);
  const active = traced.inputs.map((_, index) => index < argumentLeaves.leaves.length);
  const { forward, captured, backward, activeOutputs, reachedInputs } = reverseMode(traced.program, active);
  const results = inline(forward, [...traced.inputs, ...captured]);
  const outputCount = traced.program.outputs.length;
  const residuals = results.slice(outputCount);
  return {
    value: unflattenTree(traced.result, results.slice(0, outputCount)) as Result,
    pullback: (cotangent) => {
      const seeds = flattenTree(cotangent, isTensor).leaves;
      const cotangents = inline(backward, [...activeOutputs.map((index) => seeds[index] as Tensor), ...residuals]);
      const complete = completeWithZeros(argumentLeaves.leaves, reachedInputs, cotangents);
      return unflattenTree(argumentLeaves.definition, complete) as unknown as Args;
    },
  };
}

/**
 * Forward mode: value of a function and its derivative along a direction,  ∂f/∂(arguments) · tangents.
 * @param tangents trees like the arguments; those of integers have no influence
 */
export function jvp<const Args extends readonly TensorTree[], Result extends TensorTree>(
  f: (...args: Args) => Result,
  args: Args,
  tangents: NoInfer<Args>,
): { readonly value: Result; readonly tangent: Result } {
  const traced = traceTree(f, args);
  const directions = flattenTree(tangents, isTensor).leaves;
  const { outputs, tangents: pushed } = forwardMode(traced.program, traced.inputs, directions);
  return {
    value: unflattenTree(traced.result, outputs) as Result,
    tangent: unflattenTree(
      traced.result,
      outputs.map((output, index) => pushed[index] ?? zerosLike(output)),
    ) as Result,
  };
}

/** A scalar loss, alone or as the first of a pair whose second part is passed on (metrics, a new carry). */
export type LossResult = Tensor | readonly [loss: Tensor, extra: TensorTree];

/** The loss, the gradient for the first argument, and what the function returned beside the loss (else an empty list). */
export type ValueAndGradient<Params extends TensorTree, Result extends LossResult> = {
  readonly value: Tensor;
  readonly gradient: Params;
  readonly extra: Result extends readonly [Tensor, infer Extra] ? Extra : readonly [];
};

/**
 * A function that computes a scalar loss and its gradient for the first argument.
 * @throws GradientError if the loss is not one float number
 * @example const { value, gradient } = valueAndGrad((w, x) => sum(square(matmul(x, w))))(w, x);
 */
export function valueAndGrad<Params extends TensorTree, Rest extends readonly TensorTree[], Result extends LossResult>(
  f: (params: Params, ...rest: Rest) => Result,
): (params: Params, ...rest: Rest) => ValueAndGradient<Params, Result> {
  return (params, ...rest) => {
    const traced = traceTree<[Params, ...Rest]>(f as (...args: [Params, ...Rest]) => TensorTree, [params, ...rest]);
    requireScalarLoss(traced.program);
    const flat = flattenTree(params, isTensor);
    const active = traced.inputs.map((_, index) => index < flat.leaves.length);
    const { forward, captured, backward, activeOutputs, reachedInputs } = reverseMode(traced.program, active);
    const outputCount = traced.program.outputs.length;
    const results = inline(forward, [...traced.inputs, ...captured]);
    const seeds = activeOutputs.map((index) => {
      const { type } = traced.program.outputs[index] as Variable;
      return index === 0 ? ones([], type.dtype) : zerosLike(type);
    });
    const cotangents = inline(backward, [...seeds, ...results.slice(outputCount)]);
    const [value, extra] = [unflattenTree(traced.result, results.slice(0, outputCount))].flat() as [Tensor, TensorTree];
    return {
      value,
      gradient: unflattenTree(flat.definition, completeWithZeros(flat.leaves, reachedInputs, cotangents)) as Params,
      extra: (extra ?? []) as ValueAndGradient<Params, Result>["extra"],
    };
  };
}

function requireScalarLoss(program: Program): void {
  const type = program.outputs[0]?.type;
  if (type !== undefined && type.shape.length === 0 && type.dtype !== "int32") return;
  throw new GradientError(
    `grad: the function must return one float number (or [that, extra]), but returned ${type ? formatType(type) : "nothing"}; ` +
      "reduce it with sum or mean",
  );
}

/**
 * A function that computes the gradient of a scalar loss for its first argument.
 * @example grad((x) => sum(square(x)))(tensor([1, 2]))   // [2, 4]
 */
export function grad<Params extends TensorTree, Rest extends readonly TensorTree[]>(
  f: (params: Params, ...rest: Rest) => LossResult,
): (params: Params, ...rest: Rest) => Params {
  const both = valueAndGrad(f);
  return (params, ...rest) => both(params, ...rest).gradient;
}
