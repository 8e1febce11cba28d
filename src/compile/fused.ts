/** Elementwise arithmetic of one shape as one operation: kernels run it block by block, so that what lies between stays in the cache. */

import { evaluateBody, type Primitive, type Program } from "../program/index.js";
import type { Shape } from "../tensor/index.js";
import { withoutDerivative } from "./without-derivative.js";

/**
 * What is computed. The body holds pointwise operations on values of one shape; on the way in also views of inputs and fills,
 * on the way out also concatenations of equal parts, sums over the last axis, and rows added to a total.
 */
export interface FusedParams {
  readonly body: Program;
  /** The shape of all values between. */
  readonly shape: Shape;
}

/** Applies its body. */
export const fusedPrimitive: Primitive<FusedParams> = {
  name: "fused",
  infer: (_, { body }) => body.outputs.map(({ type }) => type),
  evaluate: evaluateBody,
  ...withoutDerivative("fused"),
  print: ({ body }, printProgram) => printProgram(body),
};
