/** The minimal gated unit: one gate. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { add, multiply, sigmoid, slice, split, subtract, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
import { linear } from "../linear.js";
import type { CellSizes } from "./cell-options.js";
import type { GRUState } from "./gru-cell.js";

/** `weightIh [2*hiddenSize, inputSize]`, `weightHh [2*hiddenSize, hiddenSize]`, `bias [2*hiddenSize]`; gates f, n */
export type MGUParams = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias: Tensor };

/**
 * Minimal gated unit, one time step: a GRU whose reset and update gate are one. σ logistic, ⊙ elementwise.
 *
 *   f = σ(Wf x + Uf h + bf)
 *   n = tanh(Wn x + Un (f ⊙ h) + bn)
 *   h' = (1 - f) ⊙ h + f ⊙ n            y = h'
 *
 * As in the source, f is the part of the state that is new; in `gru`, z is the part that is kept. Starts: each gate of W by
 * Glorot's rule, each gate of U orthogonal, b = 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Zhou, Wu, Zhang & Zhou 2016, Minimal gated unit for recurrent neural networks, arXiv:1603.09420
 * @example const cell = mgu({ inputSize: 8, hiddenSize: 32 });
 */
export function mgu(options: CellSizes): Cell<MGUParams, GRUState> {
  requireKnownKeys("mgu", options, ["inputSize", "hiddenSize"]);
  const { inputSize, hiddenSize } = options;
  requireInteger("mgu", "inputSize", inputSize, 1);
  requireInteger("mgu", "hiddenSize", hiddenSize, 1);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => ({
      ...initGates(key, 2, { inputSize, hiddenSize }, dtype),
      bias: zeros([2 * hiddenSize], dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, bias }, { h }, x) => {
      const [xf, xn] = split(linear(x, weightIh, bias), 2);
      const f = sigmoid(add(xf, linear(h, slice(weightHh, 0, 0, hiddenSize))));
      const n = tanh(add(xn, linear(multiply(f, h), slice(weightHh, 0, hiddenSize))));
      const next = add(multiply(subtract(1, f), h), multiply(f, n));
      return [{ h: next }, next];
    },
  };
}
