/**
 * Every operation: free functions over tensors, concrete or traced.
 *
 * @module ops
 */
import { reserveNames } from "./operation.js";

export { broadcastPrimitive, broadcastTo, type ReductionOptions, sum } from "./broadcast.js";
export {
  type Conv1dOptions,
  type Conv2dOptions,
  type ConvolutionAxis,
  type ConvolutionPadding,
  conv1d,
  conv2d,
  type Pair,
  paddingOf,
} from "./convolution.js";
export * from "./elementwise.js";
export * from "./indexing.js";
export { type MatmulOptions, matmul } from "./linear-algebra.js";
export { type Applied, defineOperation, type Operation, type OperationRules } from "./operation.js";
export * from "./random.js";
export { argmax, logSumExp, max, mean, min } from "./reduction.js";
export * from "./shape.js";
export { fold, type UnfoldOptions, unfold, type Windows, windowCount } from "./unfold.js";

reserveNames();
