/**
 * The cells, one file each.
 *
 * @module nn/cells
 */
export { CELL_NAMES, type CellName, cellByName } from "./by-name.js";
export type { CellSizes, ForgetGateOptions } from "./cell-options.js";
export * from "./clockwork-cell.js";
export * from "./coupled-lstm-cell.js";
export * from "./elman-cell.js";
export * from "./gru-cell.js";
export * from "./gru-reset-before-cell.js";
export * from "./indrnn-cell.js";
export * from "./irnn-cell.js";
export * from "./jordan-cell.js";
export * from "./layer-norm-gru-cell.js";
export * from "./layer-norm-lstm-cell.js";
export * from "./leaky-elman-cell.js";
export * from "./lru-cell.js";
export * from "./lstm-1997-cell.js";
export * from "./lstm-cell.js";
export * from "./mgu-cell.js";
export * from "./min-gru-cell.js";
export * from "./min-lstm-cell.js";
export * from "./mut1-cell.js";
export * from "./mut2-cell.js";
export * from "./mut3-cell.js";
export * from "./peephole-lstm-cell.js";
export * from "./skip-elman-cell.js";
