/**
 * Program to Plan: memory laid out, loops as loops.
 *
 * @module compile
 */

export { accumulatePrimitive } from "./accumulate.js";
export { type FusedParams, fusedPrimitive } from "./fused.js";
export { lower, type RunKnowledge } from "./lower.js";
export { optimize } from "./optimize.js";
export { type Instruction, type Place, type Plan, printPlan, type Slot } from "./plan.js";
export { prepareFor, type Target } from "./prepare-for.js";
export { type Packing, type PackParams, type ProductParams, packPrimitive, productPrimitive } from "./product.js";
export { pieceOf, type RowwiseParams, rowwisePrimitive, scratchOf } from "./rowwise.js";
export { isViewOperation, type StridedView, viewThrough, wholeView } from "./strided-view.js";
