/** Pooling: the largest element or the mean of every window, feature by feature. */

import { requireInteger, requireKnownKeys, ShapeError } from "../../core/index.js";
import { expandDims, max, mean, type Pair, select, unfold } from "../../ops/index.js";
import { formatType, isFloat, type Tensor } from "../../tensor/index.js";
import type { Padding } from "../recurrent/over-time.js";
import { sequenceBatch } from "../recurrent/sequence-batch.js";
import { realSteps, type WindowSteps, type WindowStepsOptions, windowSteps } from "./window-steps.js";

/** How the window of a pool moves. Steps at the end that fill no window are dropped. */
export interface Pool1dOptions {
  /** Steps that a window has. */
  readonly size: number;
  /** Steps from one window to the next. @default `size`: windows that do not overlap */
  readonly stride?: number;
}

/** Pooling along time. It has no parameters. */
export interface Pool1d extends WindowSteps {
  /** `[time, batch, features]` to `[outputLength(time), batch, features]` */
  apply(x: Tensor, options?: WindowStepsOptions): Tensor;
}

/** How the window of a pool moves over an image. Rows and columns at the end that fill no window are dropped. */
export interface Pool2dOptions {
  /** Height and width of a window. */
  readonly size: Pair<number>;
  /** @default `size` */
  readonly stride?: Pair<number>;
}

/** Pooling of images. */
export interface Pool2d {
  /** `[batch, height, width, channels]` to `[batch, height', width', channels]` */
  apply(x: Tensor): Tensor;
}

type Reduce = (windows: Tensor, options: { axes: number }) => Tensor;

const pool1d =
  (name: string, reduce: Reduce) =>
  (options: Pool1dOptions): Pool1d => {
    requireKnownKeys(name, options, ["size", "stride"]);
    const { size, stride = size } = options;
    requireInteger(name, "size", size, 1);
    requireInteger(name, "stride", stride, 1);
    return {
      ...windowSteps(name, { size, stride }),
      apply: (x, steps = {}) => reduce(unfold(realSteps(name, x, steps).inputs, 0, { size, stride }), { axes: 1 }),
    };
  };

const pool2d =
  (name: string, reduce: Reduce) =>
  (options: Pool2dOptions): Pool2d => {
    requireKnownKeys(name, options, ["size", "stride"]);
    const { size, stride = size } = options;
    const windows = [0, 1].map((k) => {
      const [own, step] = [size, stride].map((pair) => (typeof pair === "number" ? pair : (pair[k] as number)));
      requireInteger(name, "size", own as number, 1);
      requireInteger(name, "stride", step as number, 1);
      return { size: own as number, stride: step as number };
    });
    return {
      apply: (x) => {
        if (x.shape.length !== 4 || !isFloat(x.dtype))
          throw new ShapeError(`${name}: needs float [batch,height,width,channels], but was given ${formatType(x)}`);
        return windows.reduce((y, window, k) => reduce(unfold(y, k + 1, window), { axes: k + 2 }), x);
      },
    };
  };

/**
 * The largest element of every window of steps.
 *
 *   y[t, b, f] = max over k < size of x[t stride + k, b, f]
 *
 * The gradient is shared equally among elements that tie.
 * @throws OptionError if an option is wrong
 * @example const pool = maxPool1d({ size: 10 }); const short = pool.apply(xs);
 */
export const maxPool1d: (options: Pool1dOptions) => Pool1d = pool1d("maxPool1d", max);

/** The mean of every window of steps; see `maxPool1d`. */
export const meanPool1d: (options: Pool1dOptions) => Pool1d = pool1d("meanPool1d", mean);

/**
 * The largest element of every window of an image. Elements that tie share the gradient: first those of a column of the window, then the
 * columns.
 * @throws OptionError if an option is wrong
 */
export const maxPool2d: (options: Pool2dOptions) => Pool2d = pool2d("maxPool2d", max);

/** The mean of every window of an image; see `maxPool2d`. */
export const meanPool2d: (options: Pool2dOptions) => Pool2d = pool2d("meanPool2d", mean);

/**
 * The largest element over the real steps of each sequence (max-over-time pooling); zeros where there is none. What stands in the padding
 * has no influence.
 * @param xs `[time, batch, features]`
 * @returns `[batch, features]`
 * @throws ShapeError if `xs` is not that, or time is 0
 * @see Collobert et al. 2011, arXiv:1103.0398
 */
export function maxOverTime(xs: Tensor, padding: Padding = {}): Tensor {
  requireKnownKeys("maxOverTime", padding, ["mask", "sequenceLengths"]);
  const { inputs, real } = sequenceBatch("maxOverTime", { inputSize: xs.shape[2] ?? 0, reverse: false }, xs, padding);
  if (real === undefined) return max(inputs, { axes: 0 });
  const largest = max(select(expandDims(real, -1), inputs, -Infinity), { axes: 0 });
  return select(expandDims(max(real, { axes: 0 }), -1), largest, 0);
}
