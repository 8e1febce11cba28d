/** Layer normalisation with a gain and a bias. */

import { requireInteger, requireKnownKeys, requireNumber, ShapeError } from "../../core/index.js";
import { add, multiply, ones, zeros } from "../../ops/index.js";
import { type FloatDType, formatType, type Tensor } from "../../tensor/index.js";
import { standardize } from "../standardize.js";

/** `gain [inputSize]`, `bias [inputSize]` */
export type LayerNormParams = { readonly gain: Tensor; readonly bias: Tensor };

/** A layer that normalises each row on its own. */
export interface LayerNorm {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters. */
  init(key: Tensor, dtype?: FloatDType): LayerNormParams;
  /** `[..., inputSize]` to the same shape. @throws ShapeError if `x` is not that */
  apply(params: LayerNormParams, x: Tensor): Tensor;
}

/**
 * Layer normalisation:  y = gain ⊙ (x - μ) / √(σ² + ε) + bias,  with μ and σ² over the features of each row. Gain starts at 1, bias at 0.
 * @param options.epsilon above 0. Default 1e-5
 * @throws OptionError if an option is unknown or out of range
 * @see Ba, Kiros & Hinton 2016, arXiv:1607.06450
 * @example const norm = layerNorm({ inputSize: 32 });
 */
export function layerNorm(options: { readonly inputSize: number; readonly epsilon?: number }): LayerNorm {
  requireKnownKeys("layerNorm", options, ["inputSize", "epsilon"]);
  const { inputSize, epsilon = 1e-5 } = options;
  requireInteger("layerNorm", "inputSize", inputSize, 1);
  requireNumber("layerNorm", "epsilon", epsilon, { above: 0 });
  return {
    inputSize,
    outputSize: inputSize,
    init: (_, dtype = "float32") => ({ gain: ones([inputSize], dtype), bias: zeros([inputSize], dtype) }),
    apply: ({ gain, bias }, x) => {
      if (x.shape.at(-1) !== inputSize)
        throw new ShapeError(`layerNorm: needs [..., ${inputSize}], but was given ${formatType(x)}`);
      return add(multiply(standardize(x, { epsilon }), gain), bias);
    },
  };
}
