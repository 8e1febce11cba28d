/** Convolution along time and over images: windows, and one matrix product of all of them. */

import { OptionError, requireInteger, requireKnownKeys, ShapeError } from "../core/index.js";
import { formatType, isFloat, sizeOf, type Tensor } from "../tensor/index.js";
import { sum } from "./broadcast.js";
import { multiply } from "./elementwise.js";
import { matmul } from "./linear-algebra.js";
import { concatenate, pad, reshape, split, transpose } from "./shape.js";
import { unfold, type Windows } from "./unfold.js";

/**
 * Zeros around an axis: `"valid"` none; `"same"` half a window on both sides (of an odd number, the smaller half before), so that window i
 * is centred at place `i stride`; `"causal"` all before, so that window i ends there; or how many before and after.
 *
 * No choice depends on the length, so a sequence in a ragged batch has the results that it has alone. (With a stride, `"same"` elsewhere
 * often does: then windows move with the length.)
 */
export type ConvolutionPadding = "valid" | "same" | "causal" | readonly [before: number, after: number];

/** How a window moves along one axis. */
export interface ConvolutionAxis extends Windows {
  /** @default "valid" */
  readonly padding?: ConvolutionPadding;
}

/**
 * Zeros that a convolution puts before and after an axis.
 * @param where the name of the caller, for errors
 * @throws OptionError if a number is no whole number of at least 1, or the padding is none of those that there are
 */
export function paddingOf(where: string, axis: ConvolutionAxis): readonly [before: number, after: number] {
  const { size, stride = 1, dilation = 1, padding = "valid" } = axis;
  for (const [name, value] of Object.entries({ size, stride, dilation })) requireInteger(where, name, value, 1);
  const around = (size - 1) * dilation;
  if (padding === "valid") return [0, 0];
  if (padding === "same") return [Math.floor(around / 2), Math.ceil(around / 2)];
  if (padding === "causal") return [around, 0];
  if (!Array.isArray(padding) || padding.length !== 2) {
    throw new OptionError(
      `${where}: padding must be "valid", "same", "causal" or [before, after], but is ${JSON.stringify(padding)}`,
    );
  }
  for (const zeros of padding) requireInteger(where, "padding", zeros, 0);
  return padding as unknown as readonly [number, number];
}

/** How `conv1d` moves its window. */
export interface Conv1dOptions {
  /** Steps from one window to the next. @default 1 */
  readonly stride?: number;
  /** Steps from one element of a window to the next. @default 1 */
  readonly dilation?: number;
  /** @default "valid" */
  readonly padding?: ConvolutionPadding;
  /** Inputs and outputs are cut into so many parts, each output part read from its own input part only. @default 1 */
  readonly groups?: number;
}

/** The same number for height and width, or one for each. */
export type Pair<T> = T | readonly [height: T, width: T];

/** How `conv2d` moves its window. */
export interface Conv2dOptions {
  /** @default 1 */
  readonly stride?: Pair<number>;
  /** @default 1 */
  readonly dilation?: Pair<number>;
  /** One choice for both axes, or `{ height, width }`. @default "valid" */
  readonly padding?: ConvolutionPadding | { readonly height: ConvolutionPadding; readonly width: ConvolutionPadding };
  /** As in `conv1d`. @default 1 */
  readonly groups?: number;
}

/**
 * All windows along the axes from `first` on: what comes behind the places, together, is their elements and the channels. At most one axis
 * more than `x`, as kernels have six, and a loop brings one.
 */
function unfoldAxes(x: Tensor, first: number, axes: readonly ConvolutionAxis[]): Tensor {
  const last = x.shape.length - 1;
  return axes.reduceRight((inner, { size, stride = 1, dilation = 1 }, k) => {
    const rows = reshape(inner, [...inner.shape.slice(0, last), sizeOf(inner.shape.slice(last))]);
    return unfold(rows, first + k, { size, stride, dilation, into: last });
  }, x);
}

/** `x` `[..., channels]` by a weight `[outputs, ...sizes, channels / groups]`, along the axes from `first` on. */
function convolve(x: Tensor, weight: Tensor, first: number, axes: readonly ConvolutionAxis[], groups: number): Tensor {
  const outputs = weight.shape[0] as number;
  const elements = sizeOf(weight.shape.slice(1));
  const isDepthwise = groups === outputs && groups === x.shape.at(-1);
  if (groups > 1 && !isDepthwise) {
    const weights = split(weight, groups, 0);
    return concatenate(split(x, groups).map((part, k) => convolve(part, weights[k] as Tensor, first, axes, 1)));
  }
  const windows = unfoldAxes(x, first, axes);
  const places = windows.shape.slice(0, x.shape.length - 1);
  const rows = reshape(weight, [outputs, elements]);
  if (!isDepthwise) return matmul(reshape(windows, [...places, elements]), rows, { transposeB: true });
  // One input and one output in each group: no product of matrices, but a sum over each axis of the window.
  const products = multiply(windows, reshape(transpose(rows), windows.shape.slice(places.length)));
  return weight.shape.slice(1, -1).reduce((sums, size) => {
    const rest = sizeOf(sums.shape.slice(places.length)) / size;
    return sum(reshape(sums, [...places, size, rest]), { axes: -2 });
  }, products);
}

/** Checks what a convolution is given, puts zeros around `x`, and convolves. */
function apply(
  where: string,
  [names, weightNames]: readonly [x: string, weight: string],
  [x, weight]: readonly [x: Tensor, weight: Tensor],
  [first, axes]: readonly [first: number, axes: readonly ConvolutionAxis[]],
  groups: number,
): Tensor {
  requireInteger(where, "groups", groups, 1);
  const [channels, outputs] = [x.shape.at(-1) as number, weight.shape[0] as number];
  const rank = axes.length + 2;
  const isConvolution =
    [x, weight].every(({ shape }) => shape.length === rank) && x.dtype === weight.dtype && isFloat(x.dtype);
  if (!isConvolution || channels !== (weight.shape.at(-1) as number) * groups || outputs % groups !== 0) {
    throw new ShapeError(
      `${where}: ${formatType(x)} and the weight ${formatType(weight)} do not fit with groups ${groups}; ` +
        `they must be ${names} and ${weightNames}, of one float type, and groups must divide both sizes`,
    );
  }
  const padded = axes.reduce((y, axis, k) => {
    const [before, after] = paddingOf(where, axis);
    return before + after > 0 ? pad(y, first + k, before, after) : y;
  }, x);
  return convolve(padded, weight, first, axes, groups);
}

const OPTION_NAMES = ["stride", "dilation", "padding", "groups"] as const;

/**
 * Convolution along time (as in all of deep learning, a correlation: the kernel is not reversed). p: zeros before the first step.
 *
 *   y[t, b, o] = Σ_k Σ_c weight[o, k, c] x[t stride + k dilation - p, b, c]
 *
 * The number of steps becomes `⌊(time + zeros - (kernelSize - 1) dilation - 1) / stride⌋ + 1`; 0 if that is negative.
 * With `groups` equal to both sizes it is depthwise: each feature has a kernel of its own.
 * @param x float `[time, batch, inputSize]`
 * @param weight `[outputSize, kernelSize, inputSize / groups]`
 * @returns `[time', batch, outputSize]`
 * @throws ShapeError if the two do not fit; OptionError if an option is wrong
 * @see Waibel et al. 1989, doi:10.1109/29.21701 (time-delay network); dilation: Yu and Koltun 2016, arXiv:1511.07122
 * @example conv1d(x, weight, { stride: 2, padding: "causal" });
 */
export function conv1d(x: Tensor, weight: Tensor, options: Conv1dOptions = {}): Tensor {
  requireKnownKeys("conv1d", options, OPTION_NAMES);
  const { groups = 1, ...axis } = options;
  return apply(
    "conv1d",
    ["[time,batch,inputSize]", "[outputSize,kernelSize,inputSize / groups]"],
    [x, weight],
    [0, [{ ...axis, size: weight.shape[1] as number }]],
    groups,
  );
}

/**
 * Convolution of images, in the sense of `conv1d`. p, q: zeros above and left of them.
 *
 *   y[n, h, w, o] = Σ_i Σ_j Σ_c weight[o, i, j, c] x[n, h strideH + i dilationH - p, w strideW + j dilationW - q, c]
 *
 * @param x float `[batch, height, width, channels]`
 * @param weight `[outputs, kernelHeight, kernelWidth, channels / groups]`
 * @returns `[batch, height', width', outputs]`
 * @throws ShapeError if the two do not fit; OptionError if an option is wrong
 * @see LeCun et al. 1989, doi:10.1162/neco.1989.1.4.541
 * @example conv2d(x, weight, { padding: "same", stride: [2, 1] });
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  requireKnownKeys("conv2d", options, OPTION_NAMES);
  const { groups = 1 } = options;
  return apply(
    "conv2d",
    ["[batch,height,width,channels]", "[outputs,kernelHeight,kernelWidth,channels / groups]"],
    [x, weight],
    [1, axesOf2d(weight.shape.slice(1, 3) as [number, number], options)],
    groups,
  );
}

/** Height and width, each with its own options. */
export function axesOf2d(sizes: readonly [number, number], options: Conv2dOptions): ConvolutionAxis[] {
  const { stride = 1, dilation = 1, padding = "valid" } = options;
  const of = (pair: Pair<number>, k: 0 | 1): number => (typeof pair === "number" ? pair : pair[k]);
  const paddings =
    typeof padding === "object" && "height" in padding ? [padding.height, padding.width] : [padding, padding];
  return ([0, 1] as const).map((k) => ({
    size: sizes[k],
    stride: of(stride, k),
    dilation: of(dilation, k),
    padding: paddings[k] as ConvolutionPadding,
  }));
}
