/**
 * Networks: cells, a cell over time, stacks and both directions, layers, losses, starting values.
 *
 * @module nn
 */
export * from "./activations.js";
export * from "./bidirectional.js";
export type { Cell } from "./cell.js";
export * from "./cells/index.js";
export * from "./init.js";
export * from "./layers/dense.js";
export * from "./layers/dropout.js";
export * from "./layers/embedding.js";
export * from "./linear.js";
export * from "./losses.js";
export * from "./recurrent.js";
export * from "./stacked.js";
export * from "./standardize.js";
