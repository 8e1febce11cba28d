/** @module The cells, one file each. */
export * from "./elman-cell.js";
export * from "./gru-cell.js";
export * from "./gru-reset-before-cell.js";
export * from "./lstm-cell.js";
