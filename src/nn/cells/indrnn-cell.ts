/** Units that each remember only themselves: the IndRNN. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, clamp, multiply, relu, splitKey, uniform, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { glorotUniform } from "../init.js";
import { linear } from "../linear.js";
import type { CellSizes } from "./cell-options.js";

/** `weightIh [hiddenSize, inputSize]`; `weightHh [hiddenSize]`: one number for each unit; `bias [hiddenSize]` */
export type IndRNNParams = { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly bias: Tensor };

/** `h [batch, hiddenSize]` */
export type IndRNNState = { readonly h: Tensor };

/** Sizes of the cell, and how its recurrent weights begin. */
export interface IndRNNOptions extends CellSizes {
  /** Recurrent weights start uniform in [0, this], greater than 0. For sequences of T steps, the paper's is 2^(1/T). @default 1 */
  readonly maxRecurrentWeight?: number;
}

const DEFAULTS = { maxRecurrentWeight: 1 } as const;

/**
 * Independently recurrent network, one time step. ⊙ elementwise:
 *
 *   h' = relu(W x + u ⊙ h + b)        y = h'
 *
 * A gradient of unit k shrinks or grows by u_k at each step, so |u| ≤ γ^(1/T) keeps it below γ after T steps; see
 * `boundRecurrentWeights`. Units meet in the layers above: the paper stacks many. Starts: W by Glorot's rule, b = 0.
 * @throws OptionError if an option is unknown or out of range
 * @see Li, Li, Cook, Zhu & Gao 2018, Independently recurrent neural network, arXiv:1803.04831
 * @example const cell = indrnn({ inputSize: 8, hiddenSize: 32, maxRecurrentWeight: 2 ** (1 / 1000) });
 */
export function indrnn(options: IndRNNOptions): Cell<IndRNNParams, IndRNNState> {
  requireKnownKeys("indrnn", options, ["inputSize", "hiddenSize", "maxRecurrentWeight"]);
  const { inputSize, hiddenSize, maxRecurrentWeight } = { ...DEFAULTS, ...options };
  requireInteger("indrnn", "inputSize", inputSize, 1);
  requireInteger("indrnn", "hiddenSize", hiddenSize, 1);
  requireNumber("indrnn", "maxRecurrentWeight", maxRecurrentWeight, { above: 0 });
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => {
      const [keyIh, keyHh] = splitKey(key);
      return {
        weightIh: glorotUniform(keyIh, [hiddenSize, inputSize], dtype),
        weightHh: multiply(uniform(keyHh, [hiddenSize], dtype), maxRecurrentWeight),
        bias: zeros([hiddenSize], dtype),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, bias }, { h }, x) => {
      const next = relu(add(linear(x, weightIh, bias), multiply(h, weightHh)));
      return [{ h: next }, next];
    },
  };
}

/**
 * The parameters of an IndRNN with every recurrent weight held in [-maximum, maximum], for use after each update.
 * @param maximum greater than 0; γ^(1/T) for gradients that grow at most by γ in T steps
 * @example const optimizer = constrained(adam(), (params: IndRNNParams) => boundRecurrentWeights(params, 2 ** (1 / 1000)));
 */
export function boundRecurrentWeights(params: IndRNNParams, maximum: number): IndRNNParams {
  requireNumber("boundRecurrentWeights", "maximum", maximum, { above: 0 });
  return { ...params, weightHh: clamp(params.weightHh, -maximum, maximum) };
}
