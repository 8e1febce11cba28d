/** Long short-term memory with layer normalization. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, multiply, ones, reshape, sigmoid, split, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
import { linear } from "../linear.js";
import { standardize } from "../standardize.js";
import type { ForgetGateOptions } from "./cell-options.js";
import { lstmBias } from "./lstm-bias.js";
import type { LSTMState } from "./lstm-cell.js";
import { requireChoice } from "./require-choice.js";

/**
 * `weightIh [4*hiddenSize, inputSize]`, `weightHh [4*hiddenSize, hiddenSize]`, `bias [4*hiddenSize]`; gates i, f, g, o. Placement
 * "separate": `gainIh` and `gainHh [4*hiddenSize]`, "summed": `gain [4*hiddenSize]`. If the cell is normalized: `gainCell` and
 * `biasCell [hiddenSize]`
 */
export type LayerNormLSTMParams = {
  readonly weightIh: Tensor;
  readonly weightHh: Tensor;
  readonly bias: Tensor;
  readonly gainIh?: Tensor;
  readonly gainHh?: Tensor;
  readonly gain?: Tensor;
  readonly gainCell?: Tensor;
  readonly biasCell?: Tensor;
};

/** Sizes of the cell, how its forget gate begins, and where it is normalized. */
export interface LayerNormLSTMOptions extends ForgetGateOptions {
  /** What is normalized: the two products, each on its own, or their sum, each gate on its own. @default separate */
  readonly placement?: "separate" | "summed";
  /** Which cell state is normalized: the one that the output shows, the one that is carried on as well, or none. @default output */
  readonly cellNorm?: "output" | "carry" | "none";
  /** Added to the variance, above 0. @default 1e-5 */
  readonly epsilon?: number;
}

const DEFAULTS = { forgetBias: 1, placement: "separate", cellNorm: "output", epsilon: 1e-5 } as const;

const OPTION_NAMES = ["inputSize", "hiddenSize", "forgetBias", "placement", "cellNorm", "epsilon"];

/**
 * Long short-term memory with layer normalization, one time step. N(·): zero mean and unit variance over the features, as
 * `standardize` computes it; γ: gains, b: biases; σ logistic, ⊙ elementwise.
 *
 *   separate:   (i f g o) = γ1 ⊙ N(W x) + γ2 ⊙ N(U h) + b             N over all 4*hiddenSize numbers
 *   summed:     i = γi ⊙ N(Wi x + Ui h) + bi,  f, g, o alike          N over the hiddenSize numbers of a gate
 *
 *   s = σ(f) ⊙ c + σ(i) ⊙ tanh(g)       h' = σ(o) ⊙ tanh(m)           y = h'
 *
 *   cellNorm output:   c' = s,  m = γc ⊙ N(s) + bc
 *   cellNorm carry:    c' = m = γc ⊙ N(s) + bc
 *   cellNorm none:     c' = m = s
 *
 * The defaults are equations 20 to 22 of the source, with its three biases of the gates as one. TensorFlow's LayerNormBasicLSTMCell
 * is "summed" with "carry"; PyTorch's fastrnns benchmark is "separate" with "carry". Starts: each gate of W by Glorot's rule, each
 * gate of U orthogonal, gains 1, forget bias 1, other biases 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown or none of its choices
 * @see Ba, Kiros & Hinton 2016, Layer normalization, arXiv:1607.06450
 * @example const cell = layerNormLstm({ inputSize: 8, hiddenSize: 32, placement: "summed" });
 */
export function layerNormLstm(options: LayerNormLSTMOptions): Cell<LayerNormLSTMParams, LSTMState> {
  requireKnownKeys("layerNormLstm", options, OPTION_NAMES);
  const { inputSize, hiddenSize, forgetBias, placement, cellNorm, epsilon } = { ...DEFAULTS, ...options };
  requireInteger("layerNormLstm", "inputSize", inputSize, 1);
  requireInteger("layerNormLstm", "hiddenSize", hiddenSize, 1);
  requireNumber("layerNormLstm", "forgetBias", forgetBias);
  requireNumber("layerNormLstm", "epsilon", epsilon, { above: 0 });
  requireChoice("layerNormLstm", "placement", placement, ["separate", "summed"]);
  requireChoice("layerNormLstm", "cellNorm", cellNorm, ["output", "carry", "none"]);

  const normalize = (x: Tensor, gain?: Tensor): Tensor => multiply(standardize(x, { epsilon }), gain as Tensor);
  const normalizeGates = (x: Tensor, gain?: Tensor): Tensor => {
    const gates = reshape(x, [x.shape[0] as number, 4, hiddenSize]);
    return multiply(reshape(standardize(gates, { epsilon }), x.shape), gain as Tensor);
  };

  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => ({
      ...initGates(key, 4, { inputSize, hiddenSize }, dtype),
      bias: lstmBias(hiddenSize, forgetBias, dtype),
      ...(placement === "separate"
        ? { gainIh: ones([4 * hiddenSize], dtype), gainHh: ones([4 * hiddenSize], dtype) }
        : { gain: ones([4 * hiddenSize], dtype) }),
      ...(cellNorm !== "none" && { gainCell: ones([hiddenSize], dtype), biasCell: zeros([hiddenSize], dtype) }),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({
      h: zeros([batchSize, hiddenSize], dtype),
      c: zeros([batchSize, hiddenSize], dtype),
    }),
    step: ({ weightIh, weightHh, bias, gainIh, gainHh, gain, gainCell, biasCell }, { h, c }, x) => {
      const [fromInput, fromState] = [linear(x, weightIh), linear(h, weightHh)];
      const gates =
        placement === "separate"
          ? add(add(normalize(fromInput, gainIh), bias), normalize(fromState, gainHh))
          : add(normalizeGates(add(fromInput, fromState), gain), bias);
      const [i, f, g, o] = split(gates, 4);
      const s = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)));
      const shown = cellNorm === "none" ? s : add(normalize(s, gainCell), biasCell as Tensor);
      const nextH = multiply(sigmoid(o), tanh(shown));
      return [{ h: nextH, c: cellNorm === "carry" ? shown : s }, nextH];
    },
  };
}
