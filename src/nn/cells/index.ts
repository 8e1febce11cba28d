/**
 * The cells, one file each.
 *
 * @module nn/cells
 */
export { CELL_NAMES, type CellName, cellByName } from "./by-name.js";
export * from "./elman-cell.js";
export * from "./gru-cell.js";
export * from "./gru-reset-before-cell.js";
export * from "./lstm-cell.js";
