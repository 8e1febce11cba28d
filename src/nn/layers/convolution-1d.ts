/** Convolution along time. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { add, type Conv1dOptions, conv1d, zeros } from "../../ops/index.js";
import type { FloatDType, Tensor } from "../../tensor/index.js";
import { type ConvolutionParams, glorotKernel, MOVES, requireSizes } from "./convolution-options.js";
import { realSteps, type WindowSteps, type WindowStepsOptions, windowSteps } from "./window-steps.js";

/** Sizes, and how the window moves; see `conv1d`. */
export interface Convolution1dOptions extends Conv1dOptions {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Steps that a window has. */
  readonly kernelSize: number;
}

/** A layer from sequences to sequences, perhaps shorter ones: in front of a recurrence, behind it, or alone. */
export interface Convolution1d<Params> extends WindowSteps {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters, concrete. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): Params;
  /** `[time, batch, inputSize]` to `[outputLength(time), batch, outputSize]` */
  apply(params: Params, x: Tensor, options?: WindowStepsOptions): Tensor;
}

/**
 * y = conv1d(x, weight) + bias. Weights start by Glorot's rule, biases at 0.
 *
 * In front of a recurrence it makes long sequences short: the recurrence takes `outputLength(time)` steps. With a window of K steps its
 * response to an impulse ends after K steps, where that of a recurrence never does.
 * @throws OptionError if an option is wrong
 * @see Waibel et al. 1989, doi:10.1109/29.21701
 * @example const layer = convolution1d({ inputSize: 8, outputSize: 32, kernelSize: 5, stride: 4 });
 */
export function convolution1d(options: Convolution1dOptions): Convolution1d<ConvolutionParams> {
  requireKnownKeys("convolution1d", options, ["inputSize", "outputSize", "kernelSize", ...MOVES, "groups"]);
  const { inputSize, outputSize, kernelSize, groups = 1, ...moves } = options;
  requireSizes("convolution1d", options);
  requireInteger("convolution1d", "kernelSize", kernelSize, 1);
  return {
    inputSize,
    outputSize,
    ...windowSteps("convolution1d", { ...moves, size: kernelSize }),
    init: (key, dtype = "float32") => ({
      weight: glorotKernel(key, [outputSize, kernelSize, inputSize / groups], groups, dtype),
      bias: zeros([outputSize], dtype),
    }),
    apply: ({ weight, bias }, x, steps = {}) => {
      const { inputs } = realSteps("convolution1d", x, steps, inputSize);
      return add(conv1d(inputs, weight, { ...moves, groups }), bias);
    },
  };
}
