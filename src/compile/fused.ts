/** Elementwise arithmetic of one shape as one operation: kernels run it block by block, so that what lies between stays in the cache. */

import { ToolkitError } from "../core/index.js";
import { evaluateProgram, type Primitive, type Program } from "../program/index.js";
import { copyElements, hostTensorOf, type Shape, type View } from "../tensor/index.js";

/**
 * What is computed. The body holds pointwise operations on values of one shape; on the way in also views of inputs and fills,
 * on the way out also concatenations of equal parts, and sums over the last axis.
 */
export interface FusedParams {
  readonly body: Program;
  /** The shape of all values between. */
  readonly shape: Shape;
}

const withoutDerivative = (): never => {
  throw new ToolkitError("trace", "fused: made by compile, after differentiation; it has no derivative");
};

/** Applies its body. */
export const fusedPrimitive: Primitive<FusedParams> = {
  name: "fused",
  infer: (_, { body }) => body.outputs.map(({ type }) => type),
  evaluate: (inputs, outputs, { body }) => {
    const results = evaluateProgram(body, inputs.map(hostTensorOf));
    for (const [index, result] of results.entries()) copyElements(result, outputs[index] as View);
  },
  vjp: withoutDerivative,
  jvp: withoutDerivative,
  print: ({ body }, printProgram) => printProgram(body),
};
