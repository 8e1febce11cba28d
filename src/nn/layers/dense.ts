/** A fully connected layer. */

import { requireInteger } from "../../core/index.js";
import { zeros } from "../../ops/index.js";
import type { FloatDType, Tensor } from "../../tensor/index.js";
import { glorotUniform } from "../init.js";
import { linear } from "../linear.js";

/** `weight [outputSize, inputSize]`, `bias [outputSize]` */
export type DenseParams = { readonly weight: Tensor; readonly bias: Tensor };

/** A layer that maps each row on its own. */
export interface Dense {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): DenseParams;
  /** `[..., inputSize]` to `[..., outputSize]` */
  apply(params: DenseParams, x: Tensor): Tensor;
}

/**
 * y = W x + b. Weights start by Glorot's rule, biases at 0.
 * @example const readout = dense({ inputSize: 64, outputSize: 10 });
 */
export function dense({ inputSize, outputSize }: { readonly inputSize: number; readonly outputSize: number }): Dense {
  requireInteger("dense", "inputSize", inputSize, 1);
  requireInteger("dense", "outputSize", outputSize, 1);
  return {
    inputSize,
    outputSize,
    init: (key, dtype = "float32") => ({
      weight: glorotUniform(key, [outputSize, inputSize], dtype),
      bias: zeros([outputSize], dtype),
    }),
    apply: ({ weight, bias }, x) => linear(x, weight, bias),
  };
}
