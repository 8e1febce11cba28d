/** Long short-term memory with one gate for forgetting and for writing. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, concatenate, fill, multiply, sigmoid, split, subtract, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
import { linear } from "../linear.js";
import type { ForgetGateOptions } from "./cell-options.js";
import type { LSTMState } from "./lstm-cell.js";

/** `weightIh [3*hiddenSize, inputSize]`, `weightHh [3*hiddenSize, hiddenSize]`, `bias [3*hiddenSize]`; gates i, g, o */
export type CoupledLSTMParams = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias: Tensor };

const DEFAULTS = { forgetBias: 1 } as const;

/**
 * Long short-term memory with coupled input and forget gates, one time step: what is written takes the place of what is forgotten.
 * σ logistic, ⊙ elementwise; W, U, b: gate blocks of the parameters.
 *
 *   i = σ(Wi x + Ui h + bi)      g = tanh(Wg x + Ug h + bg)      o = σ(Wo x + Uo h + bo)
 *   f = 1 - i                    c' = f ⊙ c + i ⊙ g              h' = o ⊙ tanh(c')          y = h'
 *
 * The input gate has the weights, and the forget gate follows, as in the sources (TensorFlow's coupled cell has it the other way
 * round). Differs from Greff et al.: no peepholes. Starts: each gate of W by Glorot's rule, each gate of U orthogonal, the input
 * bias at minus the forget bias, so that f begins as in `lstm`, other biases 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Greff et al. 2017 (CIFG), doi:10.1109/TNNLS.2016.2582924, arXiv:1503.04069; ONNX `LSTM` with `input_forget = 1`
 * @example const cell = coupledLstm({ inputSize: 8, hiddenSize: 32 });
 */
export function coupledLstm(options: ForgetGateOptions): Cell<CoupledLSTMParams, LSTMState> {
  requireKnownKeys("coupledLstm", options, ["inputSize", "hiddenSize", "forgetBias"]);
  const { inputSize, hiddenSize, forgetBias } = { ...DEFAULTS, ...options };
  requireInteger("coupledLstm", "inputSize", inputSize, 1);
  requireInteger("coupledLstm", "hiddenSize", hiddenSize, 1);
  requireNumber("coupledLstm", "forgetBias", forgetBias);
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => ({
      ...initGates(key, 3, { inputSize, hiddenSize }, dtype),
      bias: concatenate([fill([hiddenSize], -forgetBias, dtype), zeros([2 * hiddenSize], dtype)]),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({
      h: zeros([batchSize, hiddenSize], dtype),
      c: zeros([batchSize, hiddenSize], dtype),
    }),
    step: ({ weightIh, weightHh, bias }, { h, c }, x) => {
      const gates = add(linear(x, weightIh, bias), linear(h, weightHh));
      const [netI, g, o] = split(gates, 3);
      const i = sigmoid(netI);
      const nextC = add(multiply(subtract(1, i), c), multiply(i, tanh(g)));
      const nextH = multiply(sigmoid(o), tanh(nextC));
      return [{ h: nextH, c: nextC }, nextH];
    },
  };
}
