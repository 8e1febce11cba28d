/** The record of scan: the loop through time as an operation. */

import { bind, type Primitive } from "../program/index.js";
import { evaluateScan } from "./evaluate.js";
import { inferScan } from "./infer.js";
import { scanJvp } from "./jvp.js";
import type { ApplyScan, ScanParams } from "./params.js";
import { pruneScan } from "./prune.js";
import { scanVjp } from "./vjp.js";

/** Applies the scan primitive. */
export const applyScan: ApplyScan = (inputs, params) => bind(scanPrimitive, inputs, params);

/** The loop through time. */
export const scanPrimitive: Primitive<ScanParams> = {
  name: "scan",
  infer: inferScan,
  evaluate: evaluateScan,
  vjp: (inputs, params, active) => scanVjp(applyScan, inputs, params, active),
  jvp: (inputs, tangents, params) => scanJvp(applyScan, inputs, tangents, params),
  prune: pruneScan,
  print: ({ body, length, reverse, carries, slices, isSegment, isSegmented }, printProgram) =>
    `length=${length}${reverse ? " reverse" : ""}${isSegment ? " segment" : ""}${isSegmented ? " segmented" : ""} carries=${carries} slices=${slices} body=${printProgram(body)}`,
};
