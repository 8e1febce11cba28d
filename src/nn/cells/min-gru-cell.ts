/** The minimal gated recurrent unit. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { multiply, sigmoid, split, subtract, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { glorotUniform, initBlocks } from "../init.js";
import { linear } from "../linear.js";
import { type LinearCell, linearCell } from "../linear-recurrence/linear-cell.js";
import type { CellSizes } from "./cell-options.js";
import { positiveCandidate } from "./positive-candidate.js";

/** `weightIh [2*hiddenSize, inputSize]`, `bias [2*hiddenSize]`; blocks z, n */
export type MinGRUParams = { readonly weightIh: Tensor; readonly bias: Tensor };

/** `h [batch, hiddenSize]` */
export type MinGRUState = { readonly h: Tensor };

/** Sizes of the cell, and which of the paper's two candidates it has. */
export interface MinGRUOptions extends CellSizes {
  /** Keeps the candidate, and so the state, positive. @default false */
  readonly positive?: boolean;
}

/**
 * Minimal gated recurrent unit, one time step. σ logistic, ⊙ elementwise:
 *
 *   z = σ(Wz x + bz)             n = Wn x + bn
 *   h' = (1 - z) ⊙ h + z ⊙ n     y = h'
 *
 * Neither z nor n reads the state, so `linearRecurrent` can run all steps at once. As in the source, z takes in the new; in
 * `gru` it keeps the old. With `positive`, the candidate is g(n): g(x) = x + 1/2 where x ≥ 0, σ(x) elsewhere. That is the cell
 * that the source computes with logarithms; here it is computed without, which gives the same numbers. Starts: each block of W by Glorot's rule, b = 0, h = 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, Were RNNs all we needed?, arXiv:2410.01201
 * @example const cell = minGru({ inputSize: 8, hiddenSize: 32 });
 */
export function minGru(options: MinGRUOptions): LinearCell<MinGRUParams, MinGRUState> {
  requireKnownKeys("minGru", options, ["inputSize", "hiddenSize", "positive"]);
  const { inputSize, hiddenSize, positive = false } = options;
  requireInteger("minGru", "inputSize", inputSize, 1);
  requireInteger("minGru", "hiddenSize", hiddenSize, 1);
  return linearCell({
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => ({
      weightIh: initBlocks(glorotUniform, key, 2, [hiddenSize, inputSize], dtype),
      bias: zeros([2 * hiddenSize], dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    coefficients: ({ weightIh, bias }, xs) => {
      const [gate, candidate] = split(linear(xs, weightIh, bias), 2);
      const z = sigmoid(gate);
      return { a: subtract(1, z), b: multiply(z, positive ? positiveCandidate(candidate) : candidate) };
    },
    readout: (_, { h }) => h,
  });
}
