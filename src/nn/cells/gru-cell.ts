/** Gated recurrent unit, reset applied after the recurrent product. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { add, multiply, sigmoid, split, subtract, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
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

/** Sizes of the cell; whole numbers of at least 1. */
export interface GRUOptions {
  readonly inputSize: number;
  readonly hiddenSize: number;
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
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Cho et al. 2014, arXiv:1406.1078; this form: Chetlur et al. 2014 (cuDNN), ONNX `linear_before_reset = 1`
 * @example const cell = gru({ inputSize: 8, hiddenSize: 32 });
 */
export function gru(options: GRUOptions): Cell<GRUParams, GRUState> {
  requireKnownKeys("gru", options, ["inputSize", "hiddenSize"]);
  const { inputSize, hiddenSize } = options;
  requireInteger("gru", "inputSize", inputSize, 1);
  requireInteger("gru", "hiddenSize", hiddenSize, 1);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => ({
      ...initGates(key, 3, { inputSize, hiddenSize }, dtype),
      biasIh: zeros([3 * hiddenSize], dtype),
      biasHh: zeros([3 * hiddenSize], dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, biasIh, biasHh }, { h }, x) => {
      const [xr, xz, xn] = split(linear(x, weightIh, biasIh), 3) as [Tensor, Tensor, Tensor];
      const [hr, hz, hn] = split(linear(h, weightHh, biasHh), 3) as [Tensor, Tensor, Tensor];
      const z = sigmoid(add(xz, hz));
      const n = tanh(add(xn, multiply(sigmoid(add(xr, hr)), hn)));
      const next = add(multiply(subtract(1, z), n), multiply(z, h));
      return [{ h: next }, next];
    },
  };
}
