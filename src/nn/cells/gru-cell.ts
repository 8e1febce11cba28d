/** Gated recurrent unit, reset applied after the recurrent product. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, multiply, sigmoid, split, subtract, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
import { dropout } from "../layers/dropout.js";
import { linear } from "../linear.js";

/** `weightIh [3*hiddenSize, inputSize]`, `weightHh [3*hiddenSize, hiddenSize]`, `biasIh` and `biasHh [3*hiddenSize]`; gates r, z, n */
export type GRUParams = {
  readonly weightIh: Tensor;
  readonly weightHh: Tensor;
  readonly biasIh: Tensor;
  readonly biasHh: Tensor;
};

/** `h [batch, hiddenSize]` */
export type GRUState = { readonly h: Tensor };

/** Sizes of the cell, whole numbers of at least 1, and its own dropout. */
export interface GRUOptions {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** Rate, in [0, 1), of dropout on the candidate n, anew at each step; acts only with a key. @default 0 */
  readonly updateDropout?: number;
}

/**
 * Gated recurrent unit, one time step, in the form of cuDNN and PyTorch: the reset gate acts after the recurrent product,
 * so that all three gates share one product. σ logistic, ⊙ elementwise.
 *
 *   r = σ(Wr x + ar + Ur h + br)        z = σ(Wz x + az + Uz h + bz)
 *   n = tanh(Wn x + an + r ⊙ (Un h + bn))
 *   h' = (1 - z) ⊙ n + z ⊙ h            y = h'
 *
 * a: `biasIh`, b: `biasHh`. Differs from Cho et al.: see `gruResetBefore` for theirs. The textbook convention that takes the
 * gates of the step before is not used by any of the sources. Starts: W by Glorot's rule, U orthogonal, biases 0.
 * With `updateDropout`, n in the last line is dropped out: memory is never lost by it (Semeniuta, Severyn & Barth 2016, arXiv:1603.05118).
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Cho et al. 2014, arXiv:1406.1078; this form: Chetlur et al. 2014 (cuDNN), ONNX `linear_before_reset = 1`
 * @example const cell = gru({ inputSize: 8, hiddenSize: 32 });
 */
export function gru(options: GRUOptions): Cell<GRUParams, GRUState> {
  requireKnownKeys("gru", options, ["inputSize", "hiddenSize", "updateDropout"]);
  const { inputSize, hiddenSize, updateDropout = 0 } = options;
  requireInteger("gru", "inputSize", inputSize, 1);
  requireInteger("gru", "hiddenSize", hiddenSize, 1);
  requireNumber("gru", "updateDropout", updateDropout, { from: 0, below: 1 });
  return {
    inputSize,
    outputSize: hiddenSize,
    ...(updateDropout > 0 && { usesKey: true }),
    init: (key, dtype = "float32") => ({
      ...initGates(key, 3, { inputSize, hiddenSize }, dtype),
      biasIh: zeros([3 * hiddenSize], dtype),
      biasHh: zeros([3 * hiddenSize], dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, biasIh, biasHh }, { h }, x, key) => {
      const [xr, xz, xn] = split(linear(x, weightIh, biasIh), 3);
      const [hr, hz, hn] = split(linear(h, weightHh, biasHh), 3);
      const z = sigmoid(add(xz, hz));
      const n = tanh(add(xn, multiply(sigmoid(add(xr, hr)), hn)));
      const candidate = key ? dropout(key, n, updateDropout) : n;
      const next = add(multiply(subtract(1, z), candidate), multiply(z, h));
      return [{ h: next }, next];
    },
  };
}
