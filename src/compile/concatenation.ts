/** Equations that put variables together along an axis, and that take a variable apart again. */

import { concatenatePrimitive, slicePrimitive } from "../ops/index.js";
import { type Equation, Variable } from "../program/index.js";

const lengthAlong = ({ type }: Variable, axis: number): number => type.shape[axis] as number;

/** The parts, one behind the other. */
export function concatenation(parts: readonly [Variable, ...Variable[]], axis: number): Equation {
  const { dtype, shape } = parts[0].type;
  const length = parts.reduce((sum, part) => sum + lengthAlong(part, axis), 0);
  const together = new Variable({ dtype, shape: shape.with(axis, length) });
  return { primitive: concatenatePrimitive, params: { axis }, inputs: parts, outputs: [together] };
}

/** Each of the parts as a slice of what they are together. */
export function partition(whole: Variable, parts: readonly Variable[], axis: number): Equation[] {
  const { shape } = whole.type;
  const steps = shape.map(() => 1);
  let start = 0;
  return parts.map((part) => {
    const end = start + lengthAlong(part, axis);
    const params = { starts: shape.map(() => 0).with(axis, start), ends: shape.with(axis, end), steps };
    start = end;
    return { primitive: slicePrimitive, params, inputs: [whole], outputs: [part] };
  });
}
