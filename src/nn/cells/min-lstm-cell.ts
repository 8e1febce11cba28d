/** The minimal long short-term memory. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { multiply, negate, sigmoid, softplus, split, subtract, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { glorotUniform, initBlocks } from "../init.js";
import { linear } from "../linear.js";
import { type LinearCell, linearCell } from "../linear-recurrence/linear-cell.js";
import type { CellSizes } from "./cell-options.js";
import { positiveCandidate } from "./positive-candidate.js";

/** `weightIh [3*hiddenSize, inputSize]`, `bias [3*hiddenSize]`; blocks i, f, g */
export type MinLSTMParams = { readonly weightIh: Tensor; readonly bias: Tensor };

/** `h [batch, hiddenSize]` */
export type MinLSTMState = { readonly h: Tensor };

/** Sizes of the cell, and which of the paper's two candidates it has. */
export interface MinLSTMOptions extends CellSizes {
  /** Keeps the candidate, and so the state, positive. @default false */
  readonly positive?: boolean;
}

/**
 * Minimal long short-term memory, one time step, in the form whose gates sum to 1. σ logistic, ⊙ elementwise:
 *
 *   i = σ(Wi x + bi)        f = σ(Wf x + bf)        g = Wg x + bg
 *   h' = f / (f + i) ⊙ h + i / (f + i) ⊙ g          y = h'
 *
 * No gate reads the state, so `linearRecurrent` can run all steps at once. The quotients are computed without one, as
 * σ(log f - log i) and σ(log i - log f), so two closed gates do not give 0 / 0. With `positive`, the candidate is that of
 * `minGru` with `positive`. Starts: each block of W by Glorot's rule, b = 0, h = 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, Were RNNs all we needed?, arXiv:2410.01201
 * @example const cell = minLstm({ inputSize: 8, hiddenSize: 32 });
 */
export function minLstm(options: MinLSTMOptions): LinearCell<MinLSTMParams, MinLSTMState> {
  requireKnownKeys("minLstm", options, ["inputSize", "hiddenSize", "positive"]);
  const { inputSize, hiddenSize, positive = false } = options;
  requireInteger("minLstm", "inputSize", inputSize, 1);
  requireInteger("minLstm", "hiddenSize", hiddenSize, 1);
  return linearCell({
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => ({
      weightIh: initBlocks(glorotUniform, key, 3, [hiddenSize, inputSize], dtype),
      bias: zeros([3 * hiddenSize], dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    coefficients: ({ weightIh, bias }, xs) => {
      const [i, f, g] = split(linear(xs, weightIh, bias), 3);
      const odds = subtract(softplus(negate(i)), softplus(negate(f))); // log σ(f) - log σ(i)
      return { a: sigmoid(odds), b: multiply(sigmoid(negate(odds)), positive ? positiveCandidate(g) : g) };
    },
    readout: (_, { h }) => h,
  });
}
