/**
 * Every operation: free functions over tensors, concrete or traced.
 *
 * @module ops
 */
import { reserveNames } from "./operation.js";

export { broadcastTo, type ReductionOptions, sum } from "./broadcast.js";
export * from "./elementwise.js";
export * from "./indexing.js";
export { type MatmulOptions, matmul } from "./linear-algebra.js";
export { type Applied, defineOperation, type Operation, type OperationRules } from "./operation.js";
export * from "./random.js";
export { argmax, logSumExp, max, mean, min } from "./reduction.js";
export * from "./shape.js";

reserveNames();
