/** Batch normalisation, its running statistics an explicit state. */

import { requireInteger, requireKnownKeys, requireNumber, ShapeError } from "../../core/index.js";
import {
  add,
  broadcastTo,
  cast,
  divide,
  expandDims,
  fill,
  maximum,
  multiply,
  ones,
  reciprocal,
  select,
  sqrt,
  square,
  stopGradient,
  subtract,
  sum,
  zeros,
} from "../../ops/index.js";
import { type FloatDType, formatType, isFloat, sameShape, type Tensor } from "../../tensor/index.js";

/** `gain [inputSize]`, `bias [inputSize]` */
export type BatchNormParams = { readonly gain: Tensor; readonly bias: Tensor };

/** Running statistics: `mean [inputSize]`, `variance [inputSize]`; no parameters, they get no gradient */
export type BatchNormState = { readonly mean: Tensor; readonly variance: Tensor };

/** What a batch norm is told about one batch. */
export interface BatchNormRun {
  /** Whether to use the statistics of this batch, and move the running ones. */
  readonly training: boolean;
  /** int32 `[...]`, the axes of `x` but the last, 1 = real: padding does not count, and its output is 0. Default: all is real. */
  readonly mask?: Tensor;
}

/** Sizes and rates. */
export interface BatchNormOptions {
  readonly inputSize: number;
  /** Share of the old running statistics that is kept, in [0, 1). (Some libraries call one minus this momentum.) @default 0.9 */
  readonly momentum?: number;
  /** Added to the variance, above 0. @default 1e-5 */
  readonly epsilon?: number;
}

/** A layer that normalises each feature over a batch. */
export interface BatchNorm {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters. */
  init(key: Tensor, dtype?: FloatDType): BatchNormParams;
  /** Running statistics before the first batch: mean 0, variance 1. @param dtype default float32 */
  initialState(dtype?: FloatDType): BatchNormState;
  /**
   * @param x `[..., inputSize]`, e.g. `[time, batch, inputSize]`: statistics are over all axes but the last
   * @throws ShapeError if `x` or the mask is not that
   */
  apply(
    params: BatchNormParams,
    state: BatchNormState,
    x: Tensor,
    run: BatchNormRun,
  ): { readonly y: Tensor; readonly state: BatchNormState };
}

const DEFAULTS = { momentum: 0.9, epsilon: 1e-5 } as const;

/**
 * Batch normalisation:  y = gain ⊙ (x - μ) / √(σ² + ε) + bias,  with μ and σ² of each feature over the n real rows of the batch in
 * training, and the running ones otherwise:
 *
 *   mean' = m mean + (1 - m) μ        variance' = m variance + (1 - m) σ² n / (n - 1)
 *
 * (for n = 1, σ² itself; for n = 0, nothing moves). Gain starts at 1, bias at 0.
 * @throws OptionError if an option is unknown or out of range
 * @see Ioffe & Szegedy 2015, arXiv:1502.03167
 * @example const { y, state: next } = norm.apply(params, state, outputs, { training: true, mask });
 */
export function batchNorm(options: BatchNormOptions): BatchNorm {
  requireKnownKeys("batchNorm", options, ["inputSize", "momentum", "epsilon"]);
  const { inputSize, momentum, epsilon } = { ...DEFAULTS, ...options };
  requireInteger("batchNorm", "inputSize", inputSize, 1);
  requireNumber("batchNorm", "momentum", momentum, { from: 0, below: 1 });
  requireNumber("batchNorm", "epsilon", epsilon, { above: 0 });
  return {
    inputSize,
    outputSize: inputSize,
    init: (_, dtype = "float32") => ({ gain: ones([inputSize], dtype), bias: zeros([inputSize], dtype) }),
    initialState: (dtype = "float32") => ({ mean: zeros([inputSize], dtype), variance: ones([inputSize], dtype) }),
    apply: ({ gain, bias }, state, x, run) => {
      requireKnownKeys("batchNorm", run, ["training", "mask"]);
      const real = requireRows(x, inputSize, run.mask);
      // On a NaN in the padding, the gradient of the gain would be 0 · NaN.
      const rows = real ? select(real, x, 0) : x;
      const own = run.training ? statistics(rows, real) : undefined;
      const { mean, variance } = own ?? state;
      const scale = multiply(gain, reciprocal(sqrt(add(variance, epsilon))));
      const y = add(multiply(subtract(rows, mean), scale), bias);
      return { y: real ? select(real, y, 0) : y, state: own ? moved(state, own, momentum) : state };
    },
  };
}

interface Statistics extends BatchNormState {
  readonly count: Tensor;
}

/** Mean and variance of each feature over the rows that are real, and how many these are. */
function statistics(x: Tensor, real: Tensor | undefined): Statistics {
  const axes = x.shape.slice(0, -1).map((_, axis) => axis);
  const count = cast(sum(real ?? fill([...x.shape.slice(0, -1), 1], 1, "int32")), x.dtype);
  const average = (values: Tensor): Tensor =>
    divide(sum(real ? select(real, values, 0) : values, { axes }), maximum(count, 1));
  const mean = average(x);
  return { mean, variance: average(square(subtract(x, mean))), count };
}

function moved(old: BatchNormState, { mean, variance, count }: Statistics, momentum: number): BatchNormState {
  const unbiased = multiply(variance, divide(count, maximum(subtract(count, 1), 1)));
  const move = (before: Tensor, now: Tensor): Tensor => {
    const next = add(multiply(before, momentum), multiply(stopGradient(now), 1 - momentum));
    return select(broadcastTo(cast(count, "int32"), next.shape), next, before);
  };
  return { mean: move(old.mean, mean), variance: move(old.variance, unbiased) };
}

/** The mask with an axis for the features. */
function requireRows(x: Tensor, inputSize: number, mask: Tensor | undefined): Tensor | undefined {
  if (x.shape.length < 2 || x.shape.at(-1) !== inputSize || !isFloat(x.dtype))
    throw new ShapeError(`batchNorm: needs float [..., ${inputSize}], but was given ${formatType(x)}`);
  const rows = x.shape.slice(0, -1);
  if (mask === undefined) return undefined;
  if (mask.dtype === "int32" && sameShape(mask.shape, rows)) return expandDims(mask, -1);
  throw new ShapeError(`batchNorm: the mask must be int32[${rows}], but is ${formatType(mask)}`);
}
