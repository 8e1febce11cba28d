/** Shape rule of scan. */

import { ToolkitError } from "../core/index.js";
import type { Variable } from "../program/index.js";
import { formatType, sameType, type TensorType } from "../tensor/index.js";
import { type ScanParams, sequenceType } from "./params.js";

/** Types of the last carries and of the stacked results. */
export function inferScan(inputs: readonly TensorType[], params: ScanParams): readonly TensorType[] {
  const { body, length, carries, slices } = params;
  if (inputs.length !== body.inputs.length) {
    throw new ToolkitError("shape", `scan: the body has ${body.inputs.length} inputs, but ${inputs.length} were given`);
  }
  inputs.forEach((input, index) => {
    const { type } = body.inputs[index] as Variable;
    const isSlice = index >= carries && index < carries + slices;
    const expected = isSlice ? sequenceType(type, length) : type;
    if (!sameType(input, expected)) {
      throw new ToolkitError(
        "shape",
        `scan: input ${index} is ${formatType(input)}, but the body needs ${formatType(expected)}`,
      );
    }
  });
  return body.outputs.map(({ type }, index) => (index < carries ? type : sequenceType(type, length)));
}
