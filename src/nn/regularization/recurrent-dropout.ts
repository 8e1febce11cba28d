/** Dropout inside a recurrence, for any cell. */

import { flattenTree, OptionError, requireKnownKeys, requireNumber, unflattenTree } from "../../core/index.js";
import { bernoulli, cast, foldIn, multiply, ones } from "../../ops/index.js";
import { type FloatDType, isTensor, type Tensor, type TensorTree } from "../../tensor/index.js";
import { dropout } from "../layers/dropout.js";
import { type CarryMasks, maskedStep } from "./masked-step.js";
import { type Rates, ratedTensors, requireRates } from "./rates.js";

/**
 * Dropout inside a recurrence. All rates are in [0, 1), default 0; all of it acts only when `apply` is given a key. A mask is 0 with
 * probability `rate`, else 1 / (1 - rate), for each row of the batch, and the same at all steps of one call:
 *
 *   input     x_t ⊙ mask
 *   state     U (h_{t-1} ⊙ mask), and h_{t-1} without the mask wherever it is not multiplied by a matrix
 *   output    y_t ⊙ mask
 *   weights   U ⊙ mask, the same for all rows
 *   carry     c_t = (...) ⊙ mask, where the mask is 0 or 1
 *
 * @see input, state, output (variational dropout): Gal & Ghahramani 2016, arXiv:1512.05287; weights: Wan et al. 2013 (DropConnect),
 * Merity, Keskar & Socher 2018, arXiv:1708.02182; carry: Moon et al. 2015 (rnnDrop), doi:10.1109/ASRU.2015.7404775; masks per step:
 * Semeniuta, Severyn & Barth 2016, arXiv:1603.05118
 * @example recurrent(lstm({ inputSize: 8, hiddenSize: 32 }), { dropout: { input: 0.3, state: 0.3, output: 0.3 } })
 */
export interface RecurrentDropout {
  /** On the inputs. */
  readonly input?: number;
  /**
   * On the whole carry, where it enters matrix products; see `maskedStep`. On direct paths, c of an LSTM or z ⊙ h of a GRU, the scale
   * would grow with every step.
   */
  readonly state?: number;
  /** On the outputs, after the recurrence. */
  readonly output?: number;
  /** On parameters, by name: `{ weightHh: 0.5 }`, for which 0.5 is short. */
  readonly weights?: Rates;
  /**
   * On parts of the carry, by name, where the step makes them: what it computes from them sees the mask. `{ c: 0.25 }` on an LSTM is
   * rnnDrop. What stays is not scaled, for the scale would grow with every step; so the mean is smaller than without a key.
   */
  readonly carry?: Rates;
  /** New masks at each step, but for `weights`. @default false */
  readonly perStep?: boolean;
}

const ON_STEPS = ["input", "state", "output", "carry"] as const;

/** @throws OptionError for an unknown option, one without effect, or a rate out of range */
export function requireDropout(settings: RecurrentDropout, carry: TensorTree): void {
  requireKnownKeys("recurrent dropout", settings, [...ON_STEPS, "weights", "perStep"]);
  const { perStep = false, weights = 0, carry: parts = 0, ...plain } = settings;
  const range = { from: 0, below: 1 };
  for (const [name, rate] of Object.entries(plain)) requireNumber("recurrent dropout", name, rate, range);
  requireRates("recurrent dropout", "weights", weights, range);
  requireRates("recurrent dropout", "carry", parts, range);
  ratedTensors("recurrent dropout: carry", carry, parts);
  if (perStep && ON_STEPS.every((name) => settings[name] === undefined)) {
    throw new OptionError("recurrent dropout: perStep needs a rate for input, state, output or carry");
  }
}

/** Masks of a run, or of one step. */
export type DropoutMasks = { readonly state?: CarryMasks; readonly carry?: CarryMasks; readonly output?: Tensor };

/** Parameters and inputs of a run with dropout in them, and the masks for its steps. */
export interface DrawnDropout<Params extends TensorTree> {
  readonly params: Params;
  readonly x: Tensor;
  /** With a time axis if they differ from step to step. */
  readonly masks: DropoutMasks;
}

/** Draws all masks of a run, before its loop. */
export function drawDropout<Params extends TensorTree>(
  { input = 0, output = 0, state = 0, carry = 0, weights = 0, perStep = false }: RecurrentDropout,
  key: Tensor,
  run: {
    readonly params: Params;
    readonly carry: TensorTree;
    /** `[time, batch, inputSize]` */
    readonly x: Tensor;
    readonly outputSize: number;
  },
): DrawnDropout<Params> {
  const [time, batchSize, inputSize] = run.x.shape as [number, number, number];
  const dtype = run.x.dtype as FloatDType;
  const overTime = perStep ? [time] : [];
  const draw = (purpose: number, rate: number, features: number): Tensor =>
    dropout(foldIn(key, purpose), ones([...overTime, batchSize, features], dtype), rate);
  const drawForCarry = (purpose: number, rates: Rates, isScaled: boolean): CarryMasks =>
    Object.fromEntries(
      ratedTensors("recurrent dropout", run.carry, rates).map(({ path, tensor, rate }, index) => {
        const kept = bernoulli(foldIn(foldIn(key, purpose), index), 1 - rate, [...overTime, ...tensor.shape]);
        const mask = cast(kept, tensor.dtype);
        return [path, isScaled ? multiply(mask, 1 / (1 - rate)) : mask];
      }),
    );
  return {
    params: weights === 0 ? run.params : dropWeights(foldIn(key, 0), run.params, weights),
    x: input > 0 ? multiply(run.x, draw(1, input, inputSize)) : run.x,
    masks: {
      ...(output > 0 && { output: draw(2, output, run.outputSize) }),
      ...(state > 0 && { state: drawForCarry(3, state, true) }),
      ...(carry !== 0 && { carry: drawForCarry(4, carry, false) }),
    },
  };
}

/** Parameters with some elements dropped, the others scaled. */
function dropWeights<Params extends TensorTree>(key: Tensor, params: Params, rates: Rates): Params {
  const { leaves, paths, definition } = flattenTree(params, isTensor);
  const named = typeof rates === "number" ? { weightHh: rates } : rates;
  ratedTensors("recurrent dropout: weights", params, named).forEach(({ path, tensor, rate }, index) => {
    leaves[paths.indexOf(path)] = dropout(foldIn(key, index), tensor, rate);
  });
  return unflattenTree(definition, leaves) as Params;
}

/**
 * Takes a step with the masks inside it.
 * @throws OptionError if the carry enters no matrix product that a mask of the state could act on
 */
export function dropInStep<Carry extends TensorTree>(
  step: (carry: Carry) => readonly [carry: Carry, y: Tensor],
  before: Carry,
  { state, carry }: DropoutMasks,
): readonly [carry: Carry, y: Tensor] {
  const masked = maskedStep(step, before, { ...(state && { products: state }), ...(carry && { carry }) });
  if (state && !masked.masksProducts) {
    throw new OptionError(
      "recurrent dropout: state has no effect on this cell, whose carry enters no matrix product; remove it, or use carry",
    );
  }
  return [masked.carry, masked.y];
}
