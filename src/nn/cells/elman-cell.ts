/** The simple recurrent cell of Elman. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { add, splitKey, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { glorotUniform, orthogonal } from "../init.js";
import { linear } from "../linear.js";

/** `weightIh [hiddenSize, inputSize]`, `weightHh [hiddenSize, hiddenSize]`, `bias [hiddenSize]` */
export type ElmanParams = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias: Tensor };

/** `h [batch, hiddenSize]` */
export type ElmanState = { readonly h: Tensor };

/** Sizes of the cell; whole numbers of at least 1. */
export interface ElmanOptions {
  readonly inputSize: number;
  readonly hiddenSize: number;
}

/**
 * Simple recurrent network, one time step.
 *
 *   h' = tanh(W x + U h + b)        y = h'
 *
 * Differs from the source: tanh for the logistic function, and gradients flow through all steps (Elman copied the
 * context, which cuts them after one). Starts: W by Glorot's rule, U orthogonal, b = 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Elman 1990, Finding structure in time, doi:10.1207/s15516709cog1402_1
 * @example const cell = elman({ inputSize: 8, hiddenSize: 32 });
 */
export function elman(options: ElmanOptions): Cell<ElmanParams, ElmanState> {
  requireKnownKeys("elman", options, ["inputSize", "hiddenSize"]);
  const { inputSize, hiddenSize } = options;
  requireInteger("elman", "inputSize", inputSize, 1);
  requireInteger("elman", "hiddenSize", hiddenSize, 1);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => {
      const [keyIh, keyHh] = splitKey(key);
      return {
        weightIh: glorotUniform(keyIh, [hiddenSize, inputSize], dtype),
        weightHh: orthogonal(keyHh, [hiddenSize, hiddenSize], dtype),
        bias: zeros([hiddenSize], dtype),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, bias }, { h }, x) => {
      const next = tanh(add(linear(x, weightIh, bias), linear(h, weightHh)));
      return [{ h: next }, next];
    },
  };
}
