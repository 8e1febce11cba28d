/** The network of Jordan, which remembers its own outputs. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, multiply, sigmoid, splitKey, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { glorotUniform } from "../init.js";
import { linear } from "../linear.js";
import type { CellSizes } from "./cell-options.js";

/**
 * `weightIh [hiddenSize, inputSize]`, `weightSh [hiddenSize, outputSize]`, `bias [hiddenSize]`;
 * `weightHy [outputSize, hiddenSize]`, `biasY [outputSize]`
 */
export type JordanParams = {
  readonly weightIh: Tensor;
  readonly weightSh: Tensor;
  readonly bias: Tensor;
  readonly weightHy: Tensor;
  readonly biasY: Tensor;
};

/** `s [batch, outputSize]`: the state units, which hold the outputs so far */
export type JordanState = { readonly s: Tensor };

/** Sizes of the cell, and how long its state units hold an output. */
export interface JordanOptions extends CellSizes {
  /** @default hiddenSize */
  readonly outputSize?: number;
  /** μ: part of the state units that stays at each step, in [0, 1). At 0, they hold the last output alone. @default 0 */
  readonly decay?: number;
}

const DEFAULTS = { decay: 0 } as const;

/**
 * Jordan's network, one time step, output layer included. σ logistic:
 *
 *   h = σ(W x + R s + b)        y = σ(V h + c)        s' = μ s + y
 *
 * The hidden layer sees the outputs of earlier steps, not itself: what an output does not show is forgotten. To force the
 * network with targets, hand in a carry that holds them. Starts: weights by Glorot's rule, biases 0.
 * @throws OptionError if an option is unknown or out of range
 * @see Jordan 1986, Serial order: a parallel distributed processing approach, ICS report 8604
 * @example const cell = jordan({ inputSize: 8, hiddenSize: 32, outputSize: 4, decay: 0.5 });
 */
export function jordan(options: JordanOptions): Cell<JordanParams, JordanState> {
  requireKnownKeys("jordan", options, ["inputSize", "hiddenSize", "outputSize", "decay"]);
  const { inputSize, hiddenSize, decay } = { ...DEFAULTS, ...options };
  const { outputSize = hiddenSize } = options;
  requireInteger("jordan", "inputSize", inputSize, 1);
  requireInteger("jordan", "hiddenSize", hiddenSize, 1);
  requireInteger("jordan", "outputSize", outputSize, 1);
  requireNumber("jordan", "decay", decay, { from: 0, below: 1 });
  return {
    inputSize,
    outputSize,
    init: (key, dtype = "float32") => {
      const [keyIh, keySh, keyHy] = splitKey(key, 3);
      return {
        weightIh: glorotUniform(keyIh, [hiddenSize, inputSize], dtype),
        weightSh: glorotUniform(keySh, [hiddenSize, outputSize], dtype),
        bias: zeros([hiddenSize], dtype),
        weightHy: glorotUniform(keyHy, [outputSize, hiddenSize], dtype),
        biasY: zeros([outputSize], dtype),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({ s: zeros([batchSize, outputSize], dtype) }),
    step: ({ weightIh, weightSh, bias, weightHy, biasY }, { s }, x) => {
      const h = sigmoid(add(linear(x, weightIh, bias), linear(s, weightSh)));
      const y = sigmoid(linear(h, weightHy, biasY));
      return [{ s: add(multiply(s, decay), y) }, y];
    },
  };
}
