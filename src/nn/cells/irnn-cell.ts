/** Rectified units that start by remembering: the IRNN. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, identity, multiply, relu, zeros } from "../../ops/index.js";
import type { Cell } from "../cell.js";
import { normalInit } from "../init.js";
import { linear } from "../linear.js";
import type { CellSizes } from "./cell-options.js";
import type { ElmanParams, ElmanState } from "./elman-cell.js";

/** Sizes of the cell, and how it begins. */
export interface IRNNOptions extends CellSizes {
  /** Factor of the identity that the recurrent weights start as; below 1, the cell begins by forgetting slowly. @default 1 */
  readonly identityScale?: number;
  /** Standard deviation of the input weights at the start, at least 0. @default 0.001 */
  readonly inputDeviation?: number;
}

const DEFAULTS = { identityScale: 1, inputDeviation: 0.001 } as const;

/**
 * Simple recurrent network of rectified linear units, one time step.
 *
 *   h' = relu(W x + U h + b)        y = h'
 *
 * Starts: U = identityScale · I, W normal, b = 0: a positive state stays, and its gradient neither grows nor fades.
 * @throws OptionError if an option is unknown or out of range
 * @see Le, Jaitly & Hinton 2015, A simple way to initialize recurrent networks of rectified linear units, arXiv:1504.00941
 * @example const cell = irnn({ inputSize: 8, hiddenSize: 32 });
 */
export function irnn(options: IRNNOptions): Cell<ElmanParams, ElmanState> {
  requireKnownKeys("irnn", options, ["inputSize", "hiddenSize", "identityScale", "inputDeviation"]);
  const { inputSize, hiddenSize, identityScale, inputDeviation } = { ...DEFAULTS, ...options };
  requireInteger("irnn", "inputSize", inputSize, 1);
  requireInteger("irnn", "hiddenSize", hiddenSize, 1);
  requireNumber("irnn", "identityScale", identityScale);
  requireNumber("irnn", "inputDeviation", inputDeviation, { from: 0 });
  return {
    inputSize,
    outputSize: hiddenSize,
    init: (key, dtype = "float32") => ({
      weightIh: normalInit(inputDeviation)(key, [hiddenSize, inputSize], dtype),
      weightHh: multiply(identity(hiddenSize, dtype), identityScale),
      bias: zeros([hiddenSize], dtype),
    }),
    initialCarry: (batchSize, dtype = "float32") => ({ h: zeros([batchSize, hiddenSize], dtype) }),
    step: ({ weightIh, weightHh, bias }, { h }, x) => {
      const next = relu(add(linear(x, weightIh, bias), linear(h, weightHh)));
      return [{ h: next }, next];
    },
  };
}
