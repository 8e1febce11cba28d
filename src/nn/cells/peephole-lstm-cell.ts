/** Long short-term memory whose gates see the cell state. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, multiply, sigmoid, split, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
import { linear } from "../linear.js";
import type { ForgetGateOptions } from "./cell-options.js";
import { lstmBias } from "./lstm-bias.js";
import type { LSTMState } from "./lstm-cell.js";

/**
 * `weightIh [4*hiddenSize, inputSize]`, `weightHh [4*hiddenSize, hiddenSize]`, `bias [4*hiddenSize]`; gates i, f, g, o.
 * `weightPeephole [3*hiddenSize]`; gates i, f, o
 */
export type PeepholeLSTMParams = {
  readonly weightIh: Tensor;
  readonly weightHh: Tensor;
  readonly weightPeephole: Tensor;
  readonly bias: Tensor;
};

const DEFAULTS = { forgetBias: 1 } as const;

/**
 * Long short-term memory with peepholes, one time step: each gate sees its own cell through one weight, so that it can act on
 * what the output gate hides. σ logistic, ⊙ elementwise; W, U, p, b: gate blocks of the parameters.
 *
 *   i = σ(Wi x + Ui h + pi ⊙ c + bi)     f = σ(Wf x + Uf h + pf ⊙ c + bf)     g = tanh(Wg x + Ug h + bg)
 *   c' = f ⊙ c + i ⊙ g
 *   o = σ(Wo x + Uo h + po ⊙ c' + bo)    h' = o ⊙ tanh(c')                    y = h'
 *
 * Differs from the sources: one cell in a block, tanh for their squashing functions, gradients flow through all steps. Starts:
 * each gate of W by Glorot's rule, each gate of U orthogonal, forget bias 1, other biases 0, peepholes 0: as an `lstm`.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Gers & Schmidhuber 2000, Recurrent nets that time and count, doi:10.1109/IJCNN.2000.861302; Gers, Schraudolph &
 *   Schmidhuber 2002, JMLR 3; ONNX `LSTM` with its input P
 * @example const cell = peepholeLstm({ inputSize: 8, hiddenSize: 32 });
 */
export function peepholeLstm(options: ForgetGateOptions): Cell<PeepholeLSTMParams, LSTMState> {
  requireKnownKeys("peepholeLstm", options, ["inputSize", "hiddenSize", "forgetBias"]);
  const { inputSize, hiddenSize, forgetBias } = { ...DEFAULTS, ...options };
  requireInteger("peepholeLstm", "inputSize", inputSize, 1);
  requireInteger("peepholeLstm", "hiddenSize", hiddenSize, 1);
  requireNumber("peepholeLstm", "forgetBias", forgetBias);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => ({
      ...initGates(key, 4, { inputSize, hiddenSize }, dtype),
      weightPeephole: zeros([3 * hiddenSize], dtype),
      bias: lstmBias(hiddenSize, forgetBias, dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({
      h: zeros([batchSize, hiddenSize], dtype),
      c: zeros([batchSize, hiddenSize], dtype),
    }),
    step: ({ weightIh, weightHh, weightPeephole, bias }, { h, c }, x) => {
      const gates = add(linear(x, weightIh, bias), linear(h, weightHh));
      const [i, f, g, o] = split(gates, 4);
      const [pi, pf, po] = split(weightPeephole, 3);
      const kept = multiply(sigmoid(add(f, multiply(pf, c))), c);
      const nextC = add(kept, multiply(sigmoid(add(i, multiply(pi, c))), tanh(g)));
      const nextH = multiply(sigmoid(add(o, multiply(po, nextC))), tanh(nextC));
      return [{ h: nextH, c: nextC }, nextH];
    },
  };
}
