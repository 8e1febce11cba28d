/** Gated recurrent unit as first published: reset applied before the recurrent product. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, multiply, sigmoid, slice, split, subtract, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
import { dropout } from "../layers/dropout.js";
import { linear } from "../linear.js";
import type { GRUOptions, GRUState } from "./gru-cell.js";

/** `weightIh [3*hiddenSize, inputSize]`, `weightHh [3*hiddenSize, hiddenSize]`, `bias [3*hiddenSize]`; gates r, z, n */
export type GRUResetBeforeParams = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias: Tensor };

/**
 * Gated recurrent unit, one time step, in the form of Cho et al.: the reset gate acts on the state before the recurrent
 * product. σ logistic, ⊙ elementwise.
 *
 *   r = σ(Wr x + Ur h + br)             z = σ(Wz x + Uz h + bz)
 *   n = tanh(Wn x + Un (r ⊙ h) + bn)
 *   h' = (1 - z) ⊙ n + z ⊙ h            y = h'
 *
 * Starts: W by Glorot's rule, U orthogonal, b = 0.
 * With `updateDropout`, n in the last line is dropped out, as in `gru`.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Cho et al. 2014, arXiv:1406.1078; ONNX `linear_before_reset = 0`
 * @example const cell = gruResetBefore({ inputSize: 8, hiddenSize: 32 });
 */
export function gruResetBefore(options: GRUOptions): Cell<GRUResetBeforeParams, GRUState> {
  requireKnownKeys("gruResetBefore", options, ["inputSize", "hiddenSize", "updateDropout"]);
  const { inputSize, hiddenSize, updateDropout = 0 } = options;
  requireInteger("gruResetBefore", "inputSize", inputSize, 1);
  requireInteger("gruResetBefore", "hiddenSize", hiddenSize, 1);
  requireNumber("gruResetBefore", "updateDropout", updateDropout, { from: 0, below: 1 });
  return {
    inputSize,
    outputSize: hiddenSize,
    ...(updateDropout > 0 && { usesKey: true }),
    init: (key, dtype = "float32") => ({
      ...initGates(key, 3, { inputSize, hiddenSize }, dtype),
      bias: zeros([3 * hiddenSize], dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, bias }, { h }, x, key) => {
      const [xr, xz, xn] = split(linear(x, weightIh, bias), 3);
      const [hr, hz] = split(linear(h, slice(weightHh, 0, 0, 2 * hiddenSize)), 2);
      const r = sigmoid(add(xr, hr));
      const z = sigmoid(add(xz, hz));
      const n = tanh(add(xn, linear(multiply(r, h), slice(weightHh, 0, 2 * hiddenSize))));
      const candidate = key ? dropout(key, n, updateDropout) : n;
      const next = add(multiply(subtract(1, z), candidate), multiply(z, h));
      return [{ h: next }, next];
    },
  };
}
