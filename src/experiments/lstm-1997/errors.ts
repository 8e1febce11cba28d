/** What learning lessens: a function of the answers to one sequence, or of one answer, and of what was wanted. */

import { abs, less, multiply, select, softplus, square, stopGradient, subtract, sum } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Answered } from "./network.js";

/** A scalar, from answers `[answers, outputSize]` and targets of the same shape. */
export type ErrorFunction = (answered: Answered, targets: Tensor) => Tensor;

/** E = ½ Σ (target - o)² */
export const squaredError: ErrorFunction = ({ answers }, targets) =>
  multiply(sum(square(subtract(targets, answers))), 0.5);

/** E = -Σ target log o + (1 - target) log(1 - o), for logistic outputs o = σ(a): then ∂E/∂a = o - target. */
export const crossEntropy: ErrorFunction = ({ nets }, targets) =>
  sum(subtract(softplus(nets), multiply(targets, nets)));

/** The same error, where an output within this distance from its target has none. */
export function tolerant(error: ErrorFunction, tolerance: number): ErrorFunction {
  return (answered, targets) => {
    const answers = stopGradient(answered.answers);
    const isNear = less(abs(subtract(targets, answers)), tolerance);
    return error(answered, select(isNear, answers, targets));
  };
}
