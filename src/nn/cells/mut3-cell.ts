/** The third of three cells that a search over architectures found. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { add, multiply, sigmoid, split, subtract, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
import { linear } from "../linear.js";
import type { CellSizes } from "./cell-options.js";
import type { GRUState } from "./gru-cell.js";

/** `weightIh [3*hiddenSize, inputSize]`, `weightHh [3*hiddenSize, hiddenSize]`, `bias [3*hiddenSize]`; gates r, z, n */
export type MUT3Params = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias: Tensor };

/**
 * MUT3, one time step: a GRU whose update gate sees tanh of the state. σ logistic, ⊙ elementwise.
 *
 *   r = σ(Wr x + Ur h + br)             z = σ(Wz x + Uz tanh(h) + bz)
 *   n = tanh(Wn x + Un (r ⊙ h) + bn)
 *   h' = (1 - z) ⊙ n + z ⊙ h            y = h'
 *
 * Differs from the source: z is its 1 - z, as in `gru`. Starts: each gate of W by Glorot's rule, each gate of U orthogonal, b = 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Jozefowicz, Zaremba & Sutskever 2015, An empirical exploration of recurrent network architectures, ICML
 * @example const cell = mut3({ inputSize: 8, hiddenSize: 32 });
 */
export function mut3(options: CellSizes): Cell<MUT3Params, GRUState> {
  requireKnownKeys("mut3", options, ["inputSize", "hiddenSize"]);
  const { inputSize, hiddenSize } = options;
  requireInteger("mut3", "inputSize", inputSize, 1);
  requireInteger("mut3", "hiddenSize", hiddenSize, 1);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => ({
      ...initGates(key, 3, { inputSize, hiddenSize }, dtype),
      bias: zeros([3 * hiddenSize], dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, bias }, { h }, x) => {
      const [xr, xz, xn] = split(linear(x, weightIh, bias), 3);
      const [ur, uz, un] = split(weightHh, 3, 0);
      const r = sigmoid(add(xr, linear(h, ur)));
      const z = sigmoid(add(xz, linear(tanh(h), uz)));
      const n = tanh(add(xn, linear(multiply(r, h), un)));
      const next = add(multiply(subtract(1, z), n), multiply(z, h));
      return [{ h: next }, next];
    },
  };
}
