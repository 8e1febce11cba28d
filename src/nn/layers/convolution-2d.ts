/** Convolution of images. */

import { requireKnownKeys } from "../../core/index.js";
import { add, type Conv2dOptions, conv2d, type Pair, zeros } from "../../ops/index.js";
import type { FloatDType, Tensor } from "../../tensor/index.js";
import { type ConvolutionParams, glorotKernel, kernelOf, MOVES, requireSizes } from "./convolution-options.js";

/** Sizes, and how the window moves; see `conv2d`. */
export interface Convolution2dOptions extends Conv2dOptions {
  /** Channels of the images. */
  readonly inputSize: number;
  /** Channels of the result. */
  readonly outputSize: number;
  /** Height and width of a window. */
  readonly kernelSize: Pair<number>;
}

/** A layer from images to images: of single ones, or of the frames of a film with time and batch made one axis. */
export interface Convolution2d<Params> {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters, concrete. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): Params;
  /** `[batch, height, width, inputSize]` to `[batch, height', width', outputSize]` */
  apply(params: Params, x: Tensor): Tensor;
}

/**
 * y = conv2d(x, weight) + bias, with `weight [outputSize, kernelHeight, kernelWidth, inputSize / groups]`. Weights start by Glorot's rule, biases at 0.
 * @throws OptionError if an option is wrong
 * @see LeCun et al. 1989, doi:10.1162/neco.1989.1.4.541
 * @example const layer = convolution2d({ inputSize: 1, outputSize: 16, kernelSize: 3, padding: "same" });
 */
export function convolution2d(options: Convolution2dOptions): Convolution2d<ConvolutionParams> {
  requireKnownKeys("convolution2d", options, ["inputSize", "outputSize", "kernelSize", ...MOVES, "groups"]);
  const { inputSize, outputSize, kernelSize, groups = 1, ...moves } = options;
  requireSizes("convolution2d", options);
  const kernel = kernelOf("convolution2d", kernelSize);
  return {
    inputSize,
    outputSize,
    init: (key, dtype = "float32") => ({
      weight: glorotKernel(key, [outputSize, ...kernel, inputSize / groups], groups, dtype),
      bias: zeros([outputSize], dtype),
    }),
    apply: ({ weight, bias }, x) => add(conv2d(x, weight, { ...moves, groups }), bias),
  };
}
