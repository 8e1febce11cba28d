/** Reference evaluation of scan: the plain loop. */

import { evaluateProgram } from "../program/index.js";
import { HostTensor, sizeOf, type TensorType, type View } from "../tensor/index.js";
import { firstConstant, type ScanParams, stepType } from "./params.js";

/** The elements of a view, or of one slice of it, as a tensor that shares its memory. */
const window = (view: View, type: TensorType, index = 0): HostTensor => {
  const size = sizeOf(type.shape);
  const start = view.offset + index * size;
  return new HostTensor(type, view.data.subarray(start, start + size));
};

/** Runs the body once for each step and keeps the results. */
export function evaluateScan(inputs: readonly View[], outputs: readonly View[], params: ScanParams): void {
  const { body, length, reverse, carries } = params;
  const constants = inputs.slice(firstConstant(params)).map((view) => window(view, view));
  const sequences = inputs.slice(carries, firstConstant(params));
  let carry = inputs.slice(0, carries).map((view) => window(view, view));
  for (let step = 0; step < length; step++) {
    const time = reverse ? length - 1 - step : step;
    const slices = sequences.map((view) => window(view, stepType(view), time));
    const results = evaluateProgram(body, [...carry, ...slices, ...constants]);
    carry = results.slice(0, carries);
    results.slice(carries).forEach((result, index) => {
      window(outputs[carries + index] as View, result, time).data.set(result.data);
    });
  }
  carry.forEach((value, index) => {
    window(outputs[index] as View, value).data.set(value.data);
  });
}
