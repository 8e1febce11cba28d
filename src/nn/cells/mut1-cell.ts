/** The first of three cells that a search over architectures found. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { add, multiply, sigmoid, slice, split, splitKey, subtract, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { glorotUniform, initBlocks, orthogonal } from "../init.js";
import { linear } from "../linear.js";
import type { CellSizes } from "./cell-options.js";
import type { GRUState } from "./gru-cell.js";

/**
 * `weightIh [3*hiddenSize, inputSize]`, `bias [3*hiddenSize]`; gates r, z, n. `weightHh [2*hiddenSize, hiddenSize]`; gates r, n
 */
export type MUT1Params = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias: Tensor };

/**
 * MUT1, one time step: a GRU whose update gate does not see the state. σ logistic, ⊙ elementwise.
 *
 *   r = σ(Wr x + Ur h + br)             z = σ(Wz x + bz)
 *   n = tanh(Un (r ⊙ h) + tanh(Wn x) + bn)
 *   h' = (1 - z) ⊙ n + z ⊙ h            y = h'
 *
 * Differs from the source: Wn brings x to hiddenSize, where the source has tanh(x), and z is its 1 - z, as in `gru`. Starts: each
 * gate of W by Glorot's rule, each gate of U orthogonal, b = 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Jozefowicz, Zaremba & Sutskever 2015, An empirical exploration of recurrent network architectures, ICML
 * @example const cell = mut1({ inputSize: 8, hiddenSize: 32 });
 */
export function mut1(options: CellSizes): Cell<MUT1Params, GRUState> {
  requireKnownKeys("mut1", options, ["inputSize", "hiddenSize"]);
  const { inputSize, hiddenSize } = options;
  requireInteger("mut1", "inputSize", inputSize, 1);
  requireInteger("mut1", "hiddenSize", hiddenSize, 1);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => {
      const [keyIh, keyHh] = splitKey(key);
      return {
        weightIh: initBlocks(glorotUniform, keyIh, 3, [hiddenSize, inputSize], dtype),
        weightHh: initBlocks(orthogonal, keyHh, 2, [hiddenSize, hiddenSize], dtype),
        bias: zeros([3 * hiddenSize], dtype),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, bias }, { h }, x) => {
      const [xr, xz, xn] = split(linear(x, weightIh), 3);
      const [br, bz, bn] = split(bias, 3);
      const r = sigmoid(add(add(xr, br), linear(h, slice(weightHh, 0, 0, hiddenSize))));
      const z = sigmoid(add(xz, bz));
      const n = tanh(add(linear(multiply(r, h), slice(weightHh, 0, hiddenSize)), add(tanh(xn), bn)));
      const next = add(multiply(subtract(1, z), n), multiply(z, h));
      return [{ h: next }, next];
    },
  };
}
