/**
 * The loop through time: `scan`, its rules, and masks.
 *
 * @module scan
 */
export { type AssociativeScanOptions, associativeScan } from "./associative-scan.js";
export { hoistScan, type IsFastInStep } from "./hoist.js";
export { hasManyRows } from "./many-rows.js";
export { lengthMask, paddingMask } from "./mask.js";
export { firstConstant, type ScanParams, sequenceType, stepType } from "./params.js";
export { applyScan, scanPrimitive } from "./primitive.js";
export { type ScanOptions, type ScanStep, scan } from "./scan.js";
