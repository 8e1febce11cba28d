/** Reductions: mean, maximum, minimum, log-sum-exp, argmax. (Sum stands with its transpose in broadcast.ts.) */

import { DTypeError, ShapeError } from "../core/index.js";
import {
  formatType,
  isFloat,
  normalizeAxis,
  type Shape,
  sizeOf,
  stridesOf,
  type Tensor,
  type TensorType,
  type View,
} from "../tensor/index.js";
import { broadcastTo, type ReductionOptions, reducedAxes, reducedSize, restoreAxes, sum } from "./broadcast.js";
import {
  add,
  cast,
  divide,
  equal,
  exp,
  isFiniteNumber,
  log,
  multiply,
  negate,
  select,
  stopGradient,
  subtract,
} from "./elementwise.js";
import { defineOperation, type Operation } from "./operation.js";
import { reshape, transpose } from "./shape.js";

/** Visits each line of elements along one axis: `line(first, stride, length, place)`. */
function forEachLine(x: View, axis: number, line: (first: number, stride: number, place: number) => void): void {
  const stride = stridesOf(x.shape)[axis] as number;
  const length = x.shape[axis] as number;
  const outer = sizeOf(x.shape.slice(0, axis));
  for (let block = 0; block < outer; block++) {
    for (let inner = 0; inner < stride; inner++)
      line(x.offset + block * length * stride + inner, stride, block * stride + inner);
  }
}

const withoutAxis = (name: string, x: TensorType, axis: number): Shape => {
  if (x.shape[axis] === 0) throw new ShapeError(`${name}: axis ${axis} of ${formatType(x)} is empty`);
  return x.shape.toSpliced(axis, 1);
};

/** Slope of the largest element: 1, shared equally among elements that tie. */
const shareOfMaximum = (x: Tensor, y: Tensor, axis: number): Tensor => {
  const largest = cast(equal(x, broadcastTo(restoreAxes(y, x.shape, [axis]), x.shape)), x.dtype);
  return divide(largest, sum(largest, { axes: axis, keepAxes: true }));
};

const maxOperation: Operation<{ axis: number }> = defineOperation({
  name: "max",
  infer: ([x], { axis }) => ({ dtype: (x as TensorType).dtype, shape: withoutAxis("max", x as TensorType, axis) }),
  evaluate: ([x], output, { axis }) => {
    const { data, shape } = x as View;
    forEachLine(x as View, axis, (first, stride, place) => {
      let largest = data[first] as number;
      for (let k = 1; k < (shape[axis] as number); k++) largest = Math.max(largest, data[first + k * stride] as number);
      output.data[output.offset + place] = largest;
    });
  },
  vjp: (cotangent, { inputs: [x], output, params: { axis } }) => [
    multiply(restoreAxes(cotangent, (x as Tensor).shape, [axis]), shareOfMaximum(x as Tensor, output, axis)),
  ],
  jvp: ([tangent], { inputs: [x], output, params: { axis } }) =>
    sum(multiply(tangent as Tensor, shareOfMaximum(x as Tensor, output, axis)), { axes: axis }),
});

/** Makes several axes one, at the place of the first of them, so that ties are seen among all their elements. */
function mergeAxes(x: Tensor, axes: readonly number[]): Tensor {
  const first = axes[0] as number;
  const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = others.toSpliced(first, 0, ...axes);
  const together = order.every((axis, place) => axis === place) ? x : transpose(x, order);
  return reshape(together, together.shape.toSpliced(first, axes.length, reducedSize(x.shape, axes)));
}

/** Largest element along axes; NaN if one is. The gradient is shared equally among elements that tie. */
export function max(x: Tensor, options: ReductionOptions = {}): Tensor {
  const axes = reducedAxes("max", x.shape.length, options.axes);
  const result = axes.length === 0 ? x : maxOperation([mergeAxes(x, axes)], { axis: axes[0] as number });
  return options.keepAxes === true ? restoreAxes(result, x.shape, axes) : result;
}

/** Smallest element along axes; NaN if one is. The gradient is shared equally among elements that tie. */
export const min = (x: Tensor, options: ReductionOptions = {}): Tensor => negate(max(negate(x), options));

const argmaxOperation: Operation<{ axis: number }> = defineOperation({
  name: "argmax",
  infer: ([x], { axis }) => ({ dtype: "int32", shape: withoutAxis("argmax", x as TensorType, axis) }),
  evaluate: ([x], output, { axis }) => {
    const { data, shape } = x as View;
    forEachLine(x as View, axis, (first, stride, place) => {
      let best = 0;
      for (let k = 1; k < (shape[axis] as number); k++) {
        const [candidate, held] = [data[first + k * stride] as number, data[first + best * stride] as number];
        if (candidate > held || (Number.isNaN(candidate) && !Number.isNaN(held))) best = k;
      }
      output.data[output.offset + place] = best;
    });
  },
  vjp: () => [],
  jvp: () => undefined,
});

/** Index of the largest element along an axis, the first of several (NaN counts as largest, as in `max`), as int32. @param axis default -1 */
export const argmax = (x: Tensor, axis = -1): Tensor =>
  argmaxOperation([x], { axis: normalizeAxis("argmax", axis, x.shape.length) });

/** Mean over axes; of nothing, NaN. */
export function mean(x: Tensor, options: ReductionOptions = {}): Tensor {
  const axes = reducedAxes("mean", x.shape.length, options.axes);
  return divide(sum(x, options), reducedSize(x.shape, axes));
}

/**
 * log Σ eˣ along axes, without overflow.
 *
 *   m + log Σ exp(x - m),  m = max x, constant to differentiation; the gradient is softmax(x)
 */
export function logSumExp(x: Tensor, options: ReductionOptions = {}): Tensor {
  const axes = reducedAxes("logSumExp", x.shape.length, options.axes);
  if (!isFloat(x.dtype))
    throw new DTypeError(`logSumExp: needs float32 or float64, but was given ${formatType(x)}; convert it with cast`);
  const largest = stopGradient(max(x, { axes, keepAxes: true }));
  const centre = select(isFiniteNumber(largest), largest, 0);
  const result = add(log(sum(exp(subtract(x, centre)), { axes, keepAxes: true })), centre);
  return options.keepAxes === true ? result : sum(result, { axes });
}
