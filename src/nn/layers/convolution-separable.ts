/** Depthwise separable convolution: first every channel by itself along the window, then all channels at every place. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { conv1d, conv2d, splitKey, zeros } from "../../ops/index.js";
import type { FloatDType, Shape, Tensor } from "../../tensor/index.js";
import { glorotUniform } from "../init.js";
import { linear } from "../linear.js";
import type { Convolution1d, Convolution1dOptions } from "./convolution-1d.js";
import type { Convolution2d, Convolution2dOptions } from "./convolution-2d.js";
import { glorotKernel, kernelOf, MOVES, requireSizes } from "./convolution-options.js";
import { realSteps, windowSteps } from "./window-steps.js";

/** `depthwise [inputSize, ...kernel, 1]`, `pointwise [outputSize, inputSize]`, `bias [outputSize]` */
export type SeparableConvolutionParams = {
  readonly depthwise: Tensor;
  readonly pointwise: Tensor;
  readonly bias: Tensor;
};

/**
 * Along time, in two steps.
 *
 *   u = conv1d(x, depthwise, { groups: inputSize })        y = pointwise u + bias
 *
 * `kernelSize * inputSize + inputSize * outputSize` weights, where `convolution1d` has `kernelSize * inputSize * outputSize`.
 * The first step alone is `convolution1d` with `groups` equal to both sizes.
 * @throws OptionError if an option is wrong
 * @see Chollet 2017, arXiv:1610.02357
 */
export function separableConvolution1d(
  options: Omit<Convolution1dOptions, "groups">,
): Convolution1d<SeparableConvolutionParams> {
  requireKnownKeys("separableConvolution1d", options, ["inputSize", "outputSize", "kernelSize", ...MOVES]);
  const { inputSize, outputSize, kernelSize, ...moves } = options;
  requireSizes("separableConvolution1d", options);
  requireInteger("separableConvolution1d", "kernelSize", kernelSize, 1);
  return {
    inputSize,
    outputSize,
    ...windowSteps("separableConvolution1d", { ...moves, size: kernelSize }),
    init: (key, dtype = "float32") => initSeparable(key, [inputSize, kernelSize, 1], outputSize, dtype),
    apply: ({ depthwise, pointwise, bias }, x, steps = {}) => {
      const { inputs } = realSteps("separableConvolution1d", x, steps, inputSize);
      return linear(conv1d(inputs, depthwise, { ...moves, groups: inputSize }), pointwise, bias);
    },
  };
}

/**
 * Of images, in the same two steps.
 * @throws OptionError if an option is wrong
 * @see Chollet 2017, arXiv:1610.02357
 */
export function separableConvolution2d(
  options: Omit<Convolution2dOptions, "groups">,
): Convolution2d<SeparableConvolutionParams> {
  requireKnownKeys("separableConvolution2d", options, ["inputSize", "outputSize", "kernelSize", ...MOVES]);
  const { inputSize, outputSize, kernelSize, ...moves } = options;
  requireSizes("separableConvolution2d", options);
  const kernel = kernelOf("separableConvolution2d", kernelSize);
  return {
    inputSize,
    outputSize,
    init: (key, dtype = "float32") => initSeparable(key, [inputSize, ...kernel, 1], outputSize, dtype),
    apply: ({ depthwise, pointwise, bias }, x) =>
      linear(conv2d(x, depthwise, { ...moves, groups: inputSize }), pointwise, bias),
  };
}

/** Both weights by Glorot's rule, biases at 0. @param shape of the depthwise weight */
function initSeparable(key: Tensor, shape: Shape, outputSize: number, dtype: FloatDType): SeparableConvolutionParams {
  const [keyDepthwise, keyPointwise] = splitKey(key);
  const inputSize = shape[0] as number;
  return {
    depthwise: glorotKernel(keyDepthwise, shape, inputSize, dtype),
    pointwise: glorotUniform(keyPointwise, [outputSize, inputSize], dtype),
    bias: zeros([outputSize], dtype),
  };
}
