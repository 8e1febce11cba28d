/** @module The loop through time: `scan`, its rules, and masks. */
export { lengthMask, paddingMask } from "./mask.js";
export type { ScanParams } from "./params.js";
export { scanPrimitive } from "./primitive.js";
export { type ScanOptions, type ScanStep, scan } from "./scan.js";
