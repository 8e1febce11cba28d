/** The simple recurrent cell with connections over several steps. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { add, concatenate, splitKey, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { delayedBy, pushDelay, requireDelays } from "../connections/delay-line.js";
import { glorotUniform, orthogonal } from "../init.js";
import { linear } from "../linear.js";
import type { CellSizes } from "./cell-options.js";

/** `weightIh [hiddenSize, inputSize]`; `weightHh [hiddenSize, delays*hiddenSize]`, a block for each delay; `bias [hiddenSize]` */
export type SkipElmanParams = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias: Tensor };

/** `past [batch, longest delay * hiddenSize]`: the last states, newest first */
export type SkipElmanState = { readonly past: Tensor };

/** Sizes of the cell, and the lengths of its connections. */
export interface SkipElmanOptions extends CellSizes {
  /** Steps that the recurrent connections reach back, each at least 1. */
  readonly delays: readonly number[];
}

/**
 * Simple recurrent network with skip connections through time, one time step:
 *
 *   h_t = tanh(W x_t + Σ_d U_d h_{t-d} + b)        y_t = h_t
 *
 * Through a connection of length d, a gradient passes T / d times through the squashing function on its way over T steps, not T
 * times. Without 1 among the delays, there are only long ways (El Hihi & Bengio's larger time scales); `delays: [1]` is `elman`.
 * Starts: W by Glorot's rule, all U_d side by side with orthonormal rows, b = 0.
 * @throws OptionError if a size or delay is not a whole number of at least 1, a delay is given twice, or an option is unknown
 * @see Lin, Horne, Tiňo & Giles 1996, doi:10.1109/72.548162; El Hihi & Bengio 1996, Hierarchical recurrent neural networks for
 * long-term dependencies
 * @example const cell = skipElman({ inputSize: 8, hiddenSize: 32, delays: [1, 10] });
 */
export function skipElman(options: SkipElmanOptions): Cell<SkipElmanParams, SkipElmanState> {
  requireKnownKeys("skipElman", options, ["inputSize", "hiddenSize", "delays"]);
  const { inputSize, hiddenSize, delays } = options;
  requireInteger("skipElman", "inputSize", inputSize, 1);
  requireInteger("skipElman", "hiddenSize", hiddenSize, 1);
  requireDelays("skipElman", delays);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => {
      const [keyIh, keyHh] = splitKey(key);
      return {
        weightIh: glorotUniform(keyIh, [hiddenSize, inputSize], dtype),
        weightHh: orthogonal(keyHh, [hiddenSize, delays.length * hiddenSize], dtype),
        bias: zeros([hiddenSize], dtype),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({
      past: zeros([batchSize, Math.max(...delays) * hiddenSize], dtype),
    }),
    step: ({ weightIh, weightHh, bias }, { past }, x) => {
      const seen = concatenate(delays.map((delay) => delayedBy(past, delay, hiddenSize)));
      const next = tanh(add(linear(x, weightIh, bias), linear(seen, weightHh)));
      return [{ past: pushDelay(past, next) }, next];
    },
  };
}
