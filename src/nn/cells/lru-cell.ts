/** The linear recurrent unit. */

import { OptionError, requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import {
  add,
  concatenate,
  cos,
  exp,
  log,
  multiply,
  negate,
  sin,
  split,
  splitKey,
  subtract,
  uniform,
  zeros,
} from "../../ops/index.js";
import type { FloatDType, Tensor } from "../../tensor/index.js";
import { glorotUniform, normalInit } from "../init.js";
import { linear } from "../linear.js";
import type { Complex } from "../linear-recurrence/complex.js";
import { type LinearCell, linearCell } from "../linear-recurrence/linear-cell.js";
import type { CellSizes } from "./cell-options.js";

/**
 * `nuLog`, `thetaLog`, `gammaLog`, each `[hiddenSize]`; `weightIh [2*hiddenSize, inputSize]`: real rows of B, then imaginary
 * ones; `weightHy [outputSize, 2*hiddenSize]`: real columns of C, then imaginary ones; `weightIy [outputSize, inputSize]`: D
 */
export type LRUParams = {
  readonly nuLog: Tensor;
  readonly thetaLog: Tensor;
  readonly gammaLog: Tensor;
  readonly weightIh: Tensor;
  readonly weightHy: Tensor;
  readonly weightIy: Tensor;
};

/** Complex: `re` and `im`, each `[batch, hiddenSize]` */
export type LRUState = Complex;

/** Sizes of the cell, and the ring in the complex plane that its factors start in. */
export interface LRUOptions extends CellSizes {
  /** @default hiddenSize */
  readonly outputSize?: number;
  /** Least |λ| at the start, at least 0. @default 0 */
  readonly minRadius?: number;
  /** Greatest |λ| at the start, above 0, below 1, at least `minRadius`. @default 0.99 */
  readonly maxRadius?: number;
  /** Greatest phase of λ at the start, in radians per step, in (0, 2π]. @default 2π */
  readonly maxPhase?: number;
}

const DEFAULTS = { minRadius: 0, maxRadius: 0.99, maxPhase: 2 * Math.PI } as const;
const NAMES = ["inputSize", "hiddenSize", "outputSize", "minRadius", "maxRadius", "maxPhase"] as const;

/**
 * Linear recurrent unit, one time step. h, λ, B and C are complex, ⊙ elementwise:
 *
 *   λ = exp(-exp(nuLog) + i exp(thetaLog))
 *   h' = λ ⊙ h + exp(gammaLog) ⊙ B x            y = Re(C h') + D x
 *
 * |λ| < 1 whatever nuLog is, so the recurrence is stable. As no coefficient reads the state, `linearRecurrent` can run all steps
 * at once. Starts: λ uniform on the ring, exp(gammaLog) = √(1 - |λ|²), which keeps |h| about as large as |B x|; B normal with
 * variance 1 / (2 inputSize) and C with 1 / hiddenSize, in each part; D by Glorot's rule. Differs from the source: D is a
 * matrix, so that sizes may differ, and the ring ends at 0.99, not at 1, where gammaLog would be infinite.
 * @throws OptionError if a size or the ring is out of range, or an option is unknown
 * @see Orvieto et al. 2023, Resurrecting recurrent neural networks for long sequences, arXiv:2303.06349
 * @example const cell = lru({ inputSize: 8, hiddenSize: 32, minRadius: 0.9, maxRadius: 0.999 });
 */
export function lru(options: LRUOptions): LinearCell<LRUParams, LRUState> {
  requireKnownKeys("lru", options, NAMES);
  const { inputSize, hiddenSize, minRadius, maxRadius, maxPhase } = { ...DEFAULTS, ...options };
  const { outputSize = hiddenSize } = options;
  requireInteger("lru", "inputSize", inputSize, 1);
  requireInteger("lru", "hiddenSize", hiddenSize, 1);
  requireInteger("lru", "outputSize", outputSize, 1);
  requireNumber("lru", "minRadius", minRadius, { from: 0 });
  requireNumber("lru", "maxRadius", maxRadius, { above: 0, below: 1 });
  requireNumber("lru", "maxPhase", maxPhase, { above: 0, to: 2 * Math.PI });
  if (minRadius > maxRadius) {
    throw new OptionError(`lru: minRadius must be at most maxRadius, ${maxRadius}, but is ${minRadius}`);
  }
  return linearCell({
    inputSize,
    outputSize,
    init: (key, dtype = "float32") => {
      const [keyRing, keyIh, keyHy, keyIy] = splitKey(key, 4);
      return {
        ...ringInit(keyRing, hiddenSize, { minRadius, maxRadius, maxPhase }, dtype),
        weightIh: normalInit(1 / Math.sqrt(2 * inputSize))(keyIh, [2 * hiddenSize, inputSize], dtype),
        weightHy: normalInit(1 / Math.sqrt(hiddenSize))(keyHy, [outputSize, 2 * hiddenSize], dtype),
        weightIy: glorotUniform(keyIy, [outputSize, inputSize], dtype),
      };
    },
    initialCarry: (batchSize, dtype = "float32") => ({
      re: zeros([batchSize, hiddenSize], dtype),
      im: zeros([batchSize, hiddenSize], dtype),
    }),
    coefficients: ({ nuLog, thetaLog, gammaLog, weightIh }, xs) => {
      const [radius, phase] = [exp(negate(exp(nuLog))), exp(thetaLog)];
      const [re, im] = split(linear(xs, weightIh), 2);
      const gamma = exp(gammaLog);
      return {
        a: { re: multiply(radius, cos(phase)), im: multiply(radius, sin(phase)) },
        b: { re: multiply(gamma, re), im: multiply(gamma, im) },
      };
    },
    readout: ({ weightHy, weightIy }, { re, im }, xs) =>
      add(linear(concatenate([re, negate(im)]), weightHy), linear(xs, weightIy)),
  });
}

/** Factors uniform on a ring, by area, as the logarithms that the cell keeps. */
function ringInit(
  key: Tensor,
  size: number,
  { minRadius, maxRadius, maxPhase }: Required<Pick<LRUOptions, "minRadius" | "maxRadius" | "maxPhase">>,
  dtype: FloatDType,
): Pick<LRUParams, "nuLog" | "thetaLog" | "gammaLog"> {
  // 1 - uniform is in (0, 1]: no logarithm is taken of 0.
  const [area, turn] = splitKey(key).map((own) => subtract(1, uniform(own, [size], dtype))) as [Tensor, Tensor];
  const squaredRadius = add(multiply(area, maxRadius ** 2 - minRadius ** 2), minRadius ** 2);
  return {
    nuLog: log(multiply(log(squaredRadius), -0.5)),
    thetaLog: log(multiply(turn, maxPhase)),
    gammaLog: multiply(log(subtract(1, squaredRadius)), 0.5),
  };
}
