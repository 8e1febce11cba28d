/** One vector for each sequence: its last output, or the mean of all. */

import { ShapeError } from "../../core/index.js";
import {
  add,
  at,
  cast,
  divide,
  equal,
  expandDims,
  max,
  maximum,
  mean,
  multiply,
  range,
  reverse,
  select,
  sum,
  zeros,
} from "../../ops/index.js";
import { paddingMask } from "../../scan/index.js";
import { formatType, isFloat, sameShape, type Tensor } from "../../tensor/index.js";

/** What of a batch of sequences is real. Default: all. */
export interface Padding {
  /**
   * int32 `[time, batch]`, 1 = real, 0 = padding: the carry passes a padded step unchanged, its output is 0. What stands in
   * the padding of `xs` has no influence, NaN included.
   */
  readonly mask?: Tensor;
  /** int32 `[batch]`: number of real steps of each sequence, in [0, time]. */
  readonly sequenceLengths?: Tensor;
}

/**
 * The mean over the real steps of each sequence; zeros where there is none. What stands in the padding has no influence.
 * @param xs `[time, batch, features]`
 * @returns `[batch, features]`
 * @example const scores = readout.apply(params.readout, meanOverTime(outputs, { sequenceLengths }));
 */
export function meanOverTime(xs: Tensor, padding: Padding = {}): Tensor {
  const real = requirePadding("meanOverTime", xs, padding);
  if (real === undefined) return xs.shape[0] === 0 ? sum(xs, { axes: 0 }) : mean(xs, { axes: 0 });
  const count = expandDims(cast(maximum(sum(real, { axes: 0 }), 1), xs.dtype), -1);
  return divide(sum(select(expandDims(real, -1), xs, 0), { axes: 0 }), count);
}

/**
 * The last real step of each sequence; zeros where there is none. Of a layer's outputs, `return: "last"` of `apply` gives the same and
 * keeps no others.
 * @param xs `[time, batch, features]`
 * @returns `[batch, features]`
 */
export function lastOverTime(xs: Tensor, padding: Padding = {}): Tensor {
  const real = requirePadding("lastOverTime", xs, padding);
  const [time, ...others] = xs.shape as [number, number, number];
  if (time === 0) return zeros(others, xs.dtype);
  if (real === undefined) return at(xs, -1);
  // Steps count from 1, so that 0 is none.
  const steps = multiply(real, expandDims(add(range(time), 1), 1));
  const isLast = multiply(real, equal(steps, expandDims(max(steps, { axes: 0 }), 0)));
  return sum(select(expandDims(isLast, -1), xs, 0), { axes: 0 });
}

/** The first real step of each sequence, where a chain in reverse ends. */
export function firstOverTime(xs: Tensor, padding: Padding = {}): Tensor {
  const real = requirePadding("firstOverTime", xs, padding);
  return lastOverTime(reverse(xs), real && { mask: reverse(real) });
}

function requirePadding(where: string, xs: Tensor, padding: Padding): Tensor | undefined {
  const [time, batchSize] = xs.shape;
  if (xs.shape.length !== 3 || !isFloat(xs.dtype)) {
    throw new ShapeError(`${where}: needs float [time,batch,features], but was given ${formatType(xs)}`);
  }
  const real = paddingMask(padding, time as number);
  if (real === undefined || sameShape(real.shape, [time as number, batchSize as number])) return real;
  throw new ShapeError(`${where}: the mask must be int32[${time},${batchSize}], but is ${formatType(real)}`);
}
