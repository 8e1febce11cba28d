/** What a feedback layer reads at each step, brought into one form and checked. */

import { OptionError, requireNumber, ShapeError } from "../../core/index.js";
import { broadcastTo, cast, expandDims, less, select, uniform } from "../../ops/index.js";
import { type FloatDType, formatType, isFloat, sameShape, type Tensor } from "../../tensor/index.js";

/**
 * The inputs of all steps, `[time, batch, inputSize]`; or one input for every step, `[batch, inputSize]`; or none, where
 * `inputSize` is 0.
 */
export type FeedbackInputs =
  | Tensor
  | { readonly length: number; readonly input: Tensor }
  | { readonly length: number; readonly batchSize: number };

/** Sizes of a run, and its inputs `[time, batch, inputSize]`, none where `inputSize` is 0. */
export interface Steps {
  readonly time: number;
  readonly batchSize: number;
  readonly inputs: readonly Tensor[];
}

/** @throws ShapeError if the inputs do not have `inputSize` features */
export function stepsOf(xs: FeedbackInputs, inputSize: number): Steps {
  if ("batchSize" in xs) {
    if (inputSize === 0) return { time: xs.length, batchSize: xs.batchSize, inputs: [] };
    throw new ShapeError(
      `feedback: the cell takes ${inputSize} features of input at each step, but there are no inputs`,
    );
  }
  const [given, form] = "input" in xs ? [xs.input, "[batch,"] : [xs, "[time,batch,"];
  if (inputSize === 0) {
    throw new ShapeError(
      `feedback: the cell takes nothing but what is fed back, but was given ${formatType(given)}; give { length, batchSize }`,
    );
  }
  if (given.shape.length !== ("input" in xs ? 2 : 3) || given.shape.at(-1) !== inputSize || !isFloat(given.dtype))
    throw new ShapeError(`feedback: needs float ${form}${inputSize}], but was given ${formatType(given)}`);
  const [time, batchSize] = ("input" in xs ? [xs.length, ...given.shape] : given.shape) as [number, number];
  return { time, batchSize, inputs: [broadcastTo(given, [time, batchSize, inputSize])] };
}

/**
 * The targets, with token 0 in the padding.
 * @throws OptionError without targets; ShapeError unless they are tokens, int32 `[time, batch]`, or float vectors
 */
export function requireTargets(
  targets: Tensor | undefined,
  { time, batchSize }: Steps,
  feedbackSize: number,
  real: Tensor | undefined,
): Tensor {
  if (targets === undefined) {
    throw new OptionError("feedback: teacherForcing above 0 feeds the truth back, and needs the option targets");
  }
  const shape = targets.dtype === "int32" ? [time, batchSize] : [time, batchSize, feedbackSize];
  if (!sameShape(targets.shape, shape)) {
    throw new ShapeError(
      `feedback: targets must be int32[${time},${batchSize}] or float [${time},${batchSize},${feedbackSize}], ` +
        `but are ${formatType(targets)}`,
    );
  }
  return real && targets.dtype === "int32" ? select(real, targets, 0) : targets;
}

/** @throws OptionError unless `teacherForcing` is a number in [0, 1], or a float scalar */
export function requireForcing(teacherForcing: number | Tensor): void {
  if (typeof teacherForcing === "number") {
    requireNumber("feedback", "teacherForcing", teacherForcing, { from: 0, to: 1 });
    return;
  }
  if (isFloat(teacherForcing.dtype) && teacherForcing.shape.length === 0) return;
  throw new OptionError(
    `feedback: teacherForcing must be a number or a float scalar, but is ${formatType(teacherForcing)}`,
  );
}

/**
 * 1 where the truth is fed back, 0 where the own output is, `[time, batch, 1]`, each with the same probability.
 * @param each "step": every coin is tossed for itself; "sequence": one for all steps of a sequence
 */
export function tossCoins(
  key: Tensor,
  probability: number | Tensor,
  { time, batchSize }: Steps,
  each: "step" | "sequence",
  dtype: FloatDType,
): Tensor {
  const drawn = uniform(
    key,
    [each === "step" ? time : 1, batchSize],
    typeof probability === "number" ? "float32" : (probability.dtype as FloatDType),
  );
  return expandDims(broadcastTo(cast(less(drawn, probability), dtype), [time, batchSize]), -1);
}
