/** Unfold and fold: overlapping windows along an axis, and their sum. Each is the transpose of the other. */

import { requireInteger, requireKnownKeys, ShapeError } from "../core/index.js";
import {
  formatType,
  normalizeAxis,
  type Shape,
  sizeOf,
  type Tensor,
  type TensorType,
  type View,
} from "../tensor/index.js";
import { defineOperation, type Operation } from "./operation.js";
import { reshape, slice } from "./shape.js";

/** Which elements of an axis a window takes: window i has the places `i stride + j dilation`, j from 0 to `size` - 1. */
export interface Windows {
  /** Elements of a window, at least 1. */
  readonly size: number;
  /** Places from one window to the next, at least 1. @default 1 */
  readonly stride?: number;
  /** Places from one element of a window to the next, at least 1. @default 1 */
  readonly dilation?: number;
}

/** Windows along an axis, and where the axis of their elements stands. */
export interface UnfoldOptions extends Windows {
  /** The axis of the elements of a window, in the tensor of windows; behind `axis`, or negative (-1 is the last). @default `axis` + 1 */
  readonly into?: number;
}

/** `axis` < `into` */
interface UnfoldParams {
  readonly axis: number;
  readonly into: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
}

/** How many whole windows fit into a length; none if it is shorter than one. */
export const windowCount = (length: number, { size, stride = 1, dilation = 1 }: Windows): number =>
  Math.max(0, Math.floor((length - (size - 1) * dilation - 1) / stride) + 1);

/** Visits all runs of elements that lie side by side in both tensors: their places in the windows and in the whole, and their length. */
function forEachRun(
  whole: Shape,
  windows: Shape,
  { axis, into, size, stride, dilation }: UnfoldParams,
  visit: (inWindows: number, inWhole: number, length: number) => void,
): void {
  const [length, count] = [whole[axis] as number, windows[axis] as number];
  const [outer, middle] = [sizeOf(whole.slice(0, axis)), sizeOf(whole.slice(axis + 1, into))];
  const run = sizeOf(whole.slice(into));
  let next = 0;
  for (let block = 0; block < outer; block++) {
    for (let window = 0; window < count; window++) {
      for (let row = 0; row < middle; row++) {
        for (let k = 0; k < size; k++) {
          const place = block * length + window * stride + k * dilation;
          visit(next, (place * middle + row) * run, run);
          next += run;
        }
      }
    }
  }
}

const batched = (params: UnfoldParams): UnfoldParams => ({ ...params, axis: params.axis + 1, into: params.into + 1 });

const unfoldOperation: Operation<UnfoldParams> = defineOperation({
  name: "unfold",
  infer: ([x], params) => {
    const { dtype, shape } = x as TensorType;
    const count = windowCount(shape[params.axis] as number, params);
    return { dtype, shape: shape.with(params.axis, count).toSpliced(params.into, 0, params.size) };
  },
  evaluate: ([x], { data, offset, shape }, params) => {
    const whole = x as View;
    forEachRun(whole.shape, shape, params, (to, from, length) => {
      for (let k = 0; k < length; k++) data[offset + to + k] = whole.data[whole.offset + from + k] as number;
    });
  },
  vjp: (cotangent, { inputs: [x], params }) => [
    foldOperation([cotangent], { ...params, length: (x as Tensor).shape[params.axis] as number }),
  ],
  jvp: "linear",
  batch: ([x], params) => unfoldOperation([x as Tensor], batched(params)),
});

const foldOperation: Operation<UnfoldParams & { length: number }> = defineOperation({
  name: "fold",
  infer: ([windows], { axis, into, length, ...params }) => {
    const { dtype, shape } = windows as TensorType;
    if (shape[axis] !== windowCount(length, params)) {
      throw new ShapeError(
        `fold: axis ${axis} of ${formatType(windows as TensorType)} must hold the ${windowCount(length, params)} windows ` +
          `of ${params.size} elements in a length of ${length}, with stride ${params.stride} and dilation ${params.dilation}`,
      );
    }
    return { dtype, shape: shape.toSpliced(into, 1).with(axis, length) };
  },
  evaluate: ([windows], { data, offset, shape }, params) => {
    const parts = windows as View;
    data.fill(0, offset, offset + sizeOf(shape));
    forEachRun(shape, parts.shape, params, (from, to, length) => {
      for (let k = 0; k < length; k++) data[offset + to + k]! += parts.data[parts.offset + from + k] as number;
    });
  },
  vjp: (cotangent, { params: { length: _, ...params } }) => [unfoldOperation([cotangent], params)],
  jvp: "linear",
  batch: ([windows], { length, ...params }) => foldOperation([windows as Tensor], { ...batched(params), length }),
});

/** Checks options; `rank` is that of the tensor of windows. */
function paramsOf(where: string, rank: number, axis: number, options: UnfoldOptions): UnfoldParams {
  requireKnownKeys(where, options, ["size", "stride", "dilation", "into"]);
  const { size, stride = 1, dilation = 1 } = options;
  for (const [name, value] of Object.entries({ size, stride, dilation })) requireInteger(where, name, value, 1);
  const first = normalizeAxis(where, axis, rank - 1);
  const into = normalizeAxis(where, options.into ?? first + 1, rank);
  if (into <= first)
    throw new ShapeError(`${where}: into must be an axis behind axis ${first}, but is ${options.into}`);
  return { axis: first, into, size, stride, dilation };
}

/**
 * All windows along an axis: `[..., length, ...]` to `[..., windows, ...]` with one more axis, of the elements of a window.
 *
 *   y[..., i, ..., j, ...] = x[..., i stride + j dilation, ...]
 *
 * As many windows as fit, `⌊(length - (size - 1) dilation - 1) / stride⌋ + 1`, and none if the length is shorter than a window. Kernels
 * see it as a view where they can: what is computed from windows element by element copies nothing.
 * @throws OptionError if a size, stride or dilation is no whole number of at least 1
 * @example unfold(tensor([1, 2, 3, 4]), 0, { size: 2 })   // [[1,2],[2,3],[3,4]]
 */
export function unfold(x: Tensor, axis: number, options: UnfoldOptions): Tensor {
  const params = paramsOf("unfold", x.shape.length + 1, axis, options);
  const { axis: at, into, size, stride, dilation } = params;
  const aside = size > 1 ? stride === size && dilation === 1 && into === at + 1 : stride === 1;
  if (!aside) return unfoldOperation([x], params);
  // Windows that lie side by side are only another shape.
  const count = windowCount(x.shape[at] as number, params);
  const whole = slice(x, at, 0, count * size);
  return reshape(whole, whole.shape.with(at, count).toSpliced(into, 0, size));
}

/**
 * The sum of windows where they overlap, zeros where there is none (overlap-add): the transpose of `unfold`.
 *
 *   x[..., p, ...] = Σ y[..., i, ..., j, ...] over all i, j with i stride + j dilation = p
 *
 * @param axis the axis of the windows in the result
 * @param length of that axis in the result
 * @param options those of `unfold`; `size` is the length of the axis `into`
 * @throws ShapeError if that length has another number of windows
 * @example fold(tensor([[1, 2], [3, 4], [5, 6]]), 0, 4)   // [1,5,9,6]
 */
export function fold(windows: Tensor, axis: number, length: number, options: Omit<UnfoldOptions, "size"> = {}): Tensor {
  requireInteger("fold", "length", length, 0);
  const rank = windows.shape.length;
  const size = windows.shape[normalizeAxis("fold", options.into ?? normalizeAxis("fold", axis, rank - 1) + 1, rank)];
  return foldOperation([windows], { ...paramsOf("fold", rank, axis, { ...options, size: size as number }), length });
}
