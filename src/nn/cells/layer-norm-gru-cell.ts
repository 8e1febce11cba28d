/** Gated recurrent unit with layer normalization. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, concatenate, multiply, ones, sigmoid, slice, split, subtract, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { initGates } from "../init.js";
import { linear } from "../linear.js";
import { standardize } from "../standardize.js";
import type { CellSizes } from "./cell-options.js";
import type { GRUState } from "./gru-cell.js";
import { requireChoice } from "./require-choice.js";

/**
 * `weightIh [3*hiddenSize, inputSize]`, `weightHh [3*hiddenSize, hiddenSize]`; gates r, z, n. Placement "separate": `gainIh`, `gainHh`,
 * `biasIh` and `biasHh`, "summed": `gain` and `bias`, each `[3*hiddenSize]`
 */
export type LayerNormGRUParams = {
  readonly weightIh: Tensor;
  readonly weightHh: Tensor;
  readonly gainIh?: Tensor;
  readonly gainHh?: Tensor;
  readonly biasIh?: Tensor;
  readonly biasHh?: Tensor;
  readonly gain?: Tensor;
  readonly bias?: Tensor;
};

/** Sizes of the cell, and where it is normalized. */
export interface LayerNormGRUOptions extends CellSizes {
  /** What is normalized: the two products, each on its own, or their sum. @default separate */
  readonly placement?: "separate" | "summed";
  /** Added to the variance, above 0. @default 1e-5 */
  readonly epsilon?: number;
}

/** How much of the state is kept, and what takes the place of the rest. */
type Mix = (params: LayerNormGRUParams, h: Tensor, x: Tensor) => { readonly z: Tensor; readonly n: Tensor };

const DEFAULTS = { placement: "separate", epsilon: 1e-5 } as const;

/**
 * Gated recurrent unit with layer normalization, one time step. N(·): zero mean and unit variance over the features, as
 * `standardize` computes it; γ: gains, a and b: biases; σ logistic, ⊙ elementwise.
 *
 *   separate:   (r z) = γ1 ⊙ N(W x) + a + γ2 ⊙ N(U h) + b             N over the 2*hiddenSize numbers of both gates
 *               n = tanh(γ3 ⊙ N(Wn x) + an + σ(r) ⊙ (γ4 ⊙ N(Un h) + bn))
 *   summed:     (r z m) = γ ⊙ N(W x + U h) + b                        N over all 3*hiddenSize numbers
 *               n = tanh(σ(r) ⊙ m)
 *
 *   h' = (1 - σ(z)) ⊙ n + σ(z) ⊙ h      y = h'
 *
 * "separate" is the GRU of Ba et al. (appendix), γ1 and γ3 in `gainIh`, γ2 and γ4 in `gainHh`; "summed" is that of DreamerV2, whose
 * reset gate acts on the input as well, and whose bias of z starts at 1. In both, z is the 1 - z of the source, as in `gru`. Starts:
 * each gate of W by Glorot's rule, each gate of U orthogonal, gains 1, biases 0.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown or none of its choices
 * @see Ba, Kiros & Hinton 2016, Layer normalization, arXiv:1607.06450; Hafner et al. 2021, arXiv:2010.02193
 * @example const cell = layerNormGru({ inputSize: 8, hiddenSize: 32, placement: "summed" });
 */
export function layerNormGru(options: LayerNormGRUOptions): Cell<LayerNormGRUParams, GRUState> {
  requireKnownKeys("layerNormGru", options, ["inputSize", "hiddenSize", "placement", "epsilon"]);
  const { inputSize, hiddenSize, placement, epsilon } = { ...DEFAULTS, ...options };
  requireInteger("layerNormGru", "inputSize", inputSize, 1);
  requireInteger("layerNormGru", "hiddenSize", hiddenSize, 1);
  requireNumber("layerNormGru", "epsilon", epsilon, { above: 0 });
  requireChoice("layerNormGru", "placement", placement, ["separate", "summed"]);

  const normalize = (x: Tensor): Tensor => standardize(x, { epsilon });
  const scaled = (x: Tensor, gain?: Tensor, bias?: Tensor): Tensor => add(multiply(x, gain as Tensor), bias as Tensor);

  /** r, z and n of one product: both gates normalized together, the proposal on its own. */
  const parts = (product: Tensor, gain?: Tensor, bias?: Tensor): [Tensor, Tensor, Tensor] => {
    const gates = normalize(slice(product, -1, 0, 2 * hiddenSize));
    const proposal = normalize(slice(product, -1, 2 * hiddenSize));
    return split(scaled(concatenate([gates, proposal], -1), gain, bias), 3);
  };
  const separate: Mix = ({ weightIh, weightHh, gainIh, gainHh, biasIh, biasHh }, h, x) => {
    const [xr, xz, xn] = parts(linear(x, weightIh), gainIh, biasIh);
    const [hr, hz, hn] = parts(linear(h, weightHh), gainHh, biasHh);
    return { z: sigmoid(add(xz, hz)), n: tanh(add(xn, multiply(sigmoid(add(xr, hr)), hn))) };
  };
  const summed: Mix = ({ weightIh, weightHh, gain, bias }, h, x) => {
    const net = scaled(normalize(add(linear(x, weightIh), linear(h, weightHh))), gain, bias);
    const [r, z, m] = split(net, 3);
    return { z: sigmoid(z), n: tanh(multiply(sigmoid(r), m)) };
  };
  const mix = placement === "separate" ? separate : summed;

  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => {
      const [gain, bias] = [() => ones([3 * hiddenSize], dtype), () => zeros([3 * hiddenSize], dtype)];
      return {
        ...initGates(key, 3, { inputSize, hiddenSize }, dtype),
        ...(placement === "separate"
          ? { gainIh: gain(), gainHh: gain(), biasIh: bias(), biasHh: bias() }
          : { gain: gain(), bias: bias() }),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: (params, { h }, x) => {
      const { z, n } = mix(params, h, x);
      const next = add(multiply(subtract(1, z), n), multiply(z, h));
      return [{ h: next }, next];
    },
  };
}
