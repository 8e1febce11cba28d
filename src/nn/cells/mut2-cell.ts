/** The second of three cells that a search over architectures found. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { add, multiply, sigmoid, slice, split, splitKey, subtract, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { glorotUniform, initBlocks, orthogonal } from "../init.js";
import { linear } from "../linear.js";
import type { CellSizes } from "./cell-options.js";
import type { GRUState } from "./gru-cell.js";

/**
 * `weightInput [hiddenSize, inputSize]`; `weightIh [2*hiddenSize, hiddenSize]`, gates z, n; `weightHh [3*hiddenSize, hiddenSize]`,
 * `bias [3*hiddenSize]`, gates r, z, n
 */
export type MUT2Params = {
  readonly weightInput: Tensor;
  readonly weightIh: Tensor;
  readonly weightHh: Tensor;
  readonly bias: Tensor;
};

/**
 * MUT2, one time step: a GRU whose reset gate sees the input without weights. σ logistic, ⊙ elementwise.
 *
 *   e = V x
 *   r = σ(e + Ur h + br)                z = σ(Wz e + Uz h + bz)
 *   n = tanh(Wn e + Un (r ⊙ h) + bn)
 *   h' = (1 - z) ⊙ n + z ⊙ h            y = h'
 *
 * Differs from the source: its input, here e, has hiddenSize features, and V brings x to that width (with a V of the reset gate
 * alone, this would be a GRU); and z is its 1 - z, as in `gru`. Starts: V and each gate of W by Glorot's rule, each gate of U
 * orthogonal, b = 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Jozefowicz, Zaremba & Sutskever 2015, An empirical exploration of recurrent network architectures, ICML
 * @example const cell = mut2({ inputSize: 8, hiddenSize: 32 });
 */
export function mut2(options: CellSizes): Cell<MUT2Params, GRUState> {
  requireKnownKeys("mut2", options, ["inputSize", "hiddenSize"]);
  const { inputSize, hiddenSize } = options;
  requireInteger("mut2", "inputSize", inputSize, 1);
  requireInteger("mut2", "hiddenSize", hiddenSize, 1);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => {
      const [keyInput, keyIh, keyHh] = splitKey(key, 3);
      return {
        weightInput: glorotUniform(keyInput, [hiddenSize, inputSize], dtype),
        weightIh: initBlocks(glorotUniform, keyIh, 2, [hiddenSize, hiddenSize], dtype),
        weightHh: initBlocks(orthogonal, keyHh, 3, [hiddenSize, hiddenSize], dtype),
        bias: zeros([3 * hiddenSize], dtype),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightInput, weightIh, weightHh, bias }, { h }, x) => {
      const e = linear(x, weightInput);
      const [ez, en] = split(linear(e, weightIh), 2);
      const [hr, hz] = split(linear(h, slice(weightHh, 0, 0, 2 * hiddenSize)), 2);
      const [br, bz, bn] = split(bias, 3);
      const r = sigmoid(add(add(e, br), hr));
      const z = sigmoid(add(add(ez, bz), hz));
      const n = tanh(add(add(en, bn), linear(multiply(r, h), slice(weightHh, 0, 2 * hiddenSize))));
      const next = add(multiply(subtract(1, z), n), multiply(z, h));
      return [{ h: next }, next];
    },
  };
}
