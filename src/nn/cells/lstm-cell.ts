/** Long short-term memory with a forget gate. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, multiply, sigmoid, split, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
import { dropout } from "../layers/dropout.js";
import { linear } from "../linear.js";
import { lstmBias } from "./lstm-bias.js";

/** `weightIh [4*hiddenSize, inputSize]`, `weightHh [4*hiddenSize, hiddenSize]`, `bias [4*hiddenSize]`; gates i, f, g, o */
export type LSTMParams = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias: Tensor };

/** `h` and `c`, each `[batch, hiddenSize]` */
export type LSTMState = { readonly h: Tensor; readonly c: Tensor };

/** Sizes of the cell, and how its forget gate begins. */
export interface LSTMOptions {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** Starting bias of the forget gate: a positive one lets the cell remember at first. @default 1 */
  readonly forgetBias?: number;
  /** Rate, in [0, 1), of dropout on the candidate g, anew at each step; acts only with a key. @default 0 */
  readonly updateDropout?: number;
}

const DEFAULTS = { forgetBias: 1, updateDropout: 0 } as const;

/**
 * Long short-term memory, one time step. σ logistic, ⊙ elementwise; W, U, b: gate blocks of the parameters.
 *
 *   i = σ(Wi x + Ui h + bi)      f = σ(Wf x + Uf h + bf)
 *   g = tanh(Wg x + Ug h + bg)   o = σ(Wo x + Uo h + bo)
 *   c' = f ⊙ c + i ⊙ g           h' = o ⊙ tanh(c')           y = h'
 *
 * Differs from the sources: no peepholes, tanh for their squashing functions, and the forget bias starts at 1 (Jozefowicz
 * et al. 2015). Starts: each gate of W by Glorot's rule, each gate of U orthogonal, other biases 0.
 * With `updateDropout`, c' = f ⊙ c + i ⊙ d(g), where d is dropout: memory is never lost by it (Semeniuta, Severyn & Barth 2016,
 * arXiv:1603.05118).
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; forget gate: Gers, Schmidhuber & Cummins 2000
 * @example const cell = lstm({ inputSize: 8, hiddenSize: 32 });
 */
export function lstm(options: LSTMOptions): Cell<LSTMParams, LSTMState> {
  requireKnownKeys("lstm", options, ["inputSize", "hiddenSize", "forgetBias", "updateDropout"]);
  const { inputSize, hiddenSize, forgetBias, updateDropout } = { ...DEFAULTS, ...options };
  requireInteger("lstm", "inputSize", inputSize, 1);
  requireInteger("lstm", "hiddenSize", hiddenSize, 1);
  requireNumber("lstm", "forgetBias", forgetBias);
  requireNumber("lstm", "updateDropout", updateDropout, { from: 0, below: 1 });
  return {
    inputSize,
    outputSize: hiddenSize,
    ...(updateDropout > 0 && { usesKey: true }),
    init: (key, dtype = "float32") => ({
      ...initGates(key, 4, { inputSize, hiddenSize }, dtype),
      bias: lstmBias(hiddenSize, forgetBias, dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({
      h: zeros([batchSize, hiddenSize], dtype),
      c: zeros([batchSize, hiddenSize], dtype),
    }),
    step: ({ weightIh, weightHh, bias }, { h, c }, x, key) => {
      const gates = add(linear(x, weightIh, bias), linear(h, weightHh));
      const [i, f, g, o] = split(gates, 4);
      const kept = multiply(sigmoid(f), c);
      const nextC = add(kept, multiply(sigmoid(i), key ? dropout(key, tanh(g), updateDropout) : tanh(g)));
      const nextH = multiply(sigmoid(o), tanh(nextC));
      return [{ h: nextH, c: nextC }, nextH];
    },
  };
}
