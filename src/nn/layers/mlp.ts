/** Several dense layers with a function between them. */

import { OptionError, requireKnownKeys } from "../../core/index.js";
import { splitKey, tanh } from "../../ops/index.js";
import type { FloatDType, Tensor } from "../../tensor/index.js";
import { type DenseParams, dense } from "./dense.js";

/** Sizes and functions. */
export interface MLPOptions {
  /** Features in, of each layer between, and out: at least two whole numbers of at least 1. */
  readonly sizes: readonly number[];
  /** Elementwise, after each layer but the last. @default tanh */
  readonly activation?: (x: Tensor) => Tensor;
  /** After the last layer. @default none */
  readonly outputActivation?: (x: Tensor) => Tensor;
}

/** A multilayer perceptron; each row is mapped on its own. */
export interface MLP {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Parameters of each layer, first layer first. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): readonly DenseParams[];
  /** `[..., inputSize]` to `[..., outputSize]` */
  apply(params: readonly DenseParams[], x: Tensor): Tensor;
}

/**
 * A multilayer perceptron:  y = φ'(Wₙ ... φ(W₁ x + b₁) ... + bₙ). Before a recurrent layer it makes its input deep, behind it its output.
 * @throws OptionError if there are fewer than two sizes, or one is not a whole number of at least 1
 * @see Pascanu et al. 2014, arXiv:1312.6026 (deep input, deep output)
 * @example const readout = mlp({ sizes: [64, 128, 10] });
 */
export function mlp(options: MLPOptions): MLP {
  requireKnownKeys("mlp", options, ["sizes", "activation", "outputActivation"]);
  const { sizes, activation = tanh, outputActivation } = options;
  if (sizes.length < 2) throw new OptionError(`mlp: sizes must be at least two numbers, but are [${sizes}]`);
  const layers = sizes.slice(1).map((outputSize, index) => dense({ inputSize: sizes[index] as number, outputSize }));
  return {
    inputSize: sizes[0] as number,
    outputSize: sizes.at(-1) as number,
    init: (key, dtype) => {
      const keys = splitKey(key, layers.length);
      return layers.map((layer, index) => layer.init(keys[index] as Tensor, dtype));
    },
    apply: (params, x) => {
      const sum = layers.reduce((input, layer, index) => {
        const given = index === 0 ? input : activation(input);
        return layer.apply(params[index] as DenseParams, given);
      }, x);
      return outputActivation ? outputActivation(sum) : sum;
    },
  };
}
