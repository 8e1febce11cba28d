/** Totals that grow: rows are added to them, in their memory. */

import { add, sum } from "../ops/index.js";
import type { Primitive } from "../program/index.js";
import { copyElements, type HostTensor, hostTensorOf, type TensorType, type View } from "../tensor/index.js";
import { withoutDerivative } from "./without-derivative.js";

/**
 * total + Σ x over the leading axes of x that the total has not: `[d]` and `[..., d]` to `[d]`, float32, added row by row. Kernels write
 * the result over the total, so it must be the new value of a carry whose old one nothing else reads.
 */
export const accumulatePrimitive: Primitive<null> = {
  name: "accumulate",
  infer: ([total]) => [total as TensorType],
  evaluate: (inputs, [output]) => {
    const [total, x] = inputs.map(hostTensorOf) as [HostTensor, HostTensor];
    const axes = Array.from({ length: x.shape.length - total.shape.length }, (_, axis) => axis);
    copyElements(add(total, sum(x, { axes })) as HostTensor, output as View);
  },
  ...withoutDerivative("accumulate"),
};
