/** The hidden units of the networks that the paper compares with. */

import { type Cell, linear, uniformInit } from "../../nn/index.js";
import { add, sigmoid, splitKey, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

/** `weightIh [hiddenSize, inputSize]`, `weightHh [hiddenSize, hiddenSize]`, `bias [hiddenSize]` */
export type LogisticParams = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias?: Tensor };

/** Sizes and starting values. */
export interface LogisticOptions {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** Weights start uniform in ±initialRange. */
  readonly initialRange: number;
  /** @default false */
  readonly bias?: boolean;
}

/** Logistic units that see inputs and each other:  h' = σ(W x + U h + b) */
export function logisticCell(options: LogisticOptions): Cell<LogisticParams, { readonly h: Tensor }> {
  const { inputSize, hiddenSize, initialRange, bias: hasBias = false } = options;
  const draw = uniformInit(initialRange);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => {
      const [keyIh, keyHh, keyBias] = splitKey(key, 3) as [Tensor, Tensor, Tensor];
      return {
        weightIh: draw(keyIh, [hiddenSize, inputSize], dtype),
        weightHh: draw(keyHh, [hiddenSize, hiddenSize], dtype),
        ...(hasBias && { bias: draw(keyBias, [hiddenSize], dtype) }),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, bias }, { h }, x) => {
      const next = sigmoid(add(linear(x, weightIh, bias), linear(h, weightHh)));
      return [{ h: next }, next];
    },
  };
}
