/** Backpropagation through a limited stretch of time, for streams that have no end. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { averageLoss, type LossSum } from "../../nn/index.js";
import {
  add,
  concatenate,
  foldIn,
  greaterEqual,
  minimum,
  reshape,
  select,
  slice,
  stopGradient,
  zeros,
} from "../../ops/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import { valueAndGrad } from "../../transforms/index.js";
import type { LearningMethod, SequenceProblem } from "./method.js";
import { requireWindows, sequencesIn, swapTimeAndBatch, timeOf } from "./windows.js";

/** How far gradients go back. */
export interface TruncatedBpttOptions {
  /**
   * Steps that a gradient looks back at most, at least 1. Less than the length of a window: windows are cut, so that a loss looks back to
   * the last cut. More: every window is learnt together with those before it, as many as it takes to look back that far from its first
   * step on. @default the length of each window
   */
  readonly truncationLength?: number;
}

/**
 * Truncated backpropagation through time: batches are windows of streams that follow each other. The carry at the end
 * of a window enters the next, and one update is made for each window: its length is the number of steps between updates.
 *
 *   window k:  carry_k -> (L_k, carry_{k+1}),    gradient of L_k with carry_k held constant
 *
 * With `truncationLength` beyond the window, n windows back, L_k is differentiated through all of carry_{k-n} -> ... -> carry_k as well:
 * BPTT(h; h') of the source, for h steps back and h' between updates. Biased: dependencies longer than what is looked back get no gradient (they
 * can still be carried). Exact when the window is the whole sequence. Time O(T P), memory O(T H) for T steps looked at in an update,
 * whatever the length of the stream.
 * @throws OptionError if `truncationLength` is not a whole number of at least 1
 * @see Williams & Peng 1990, doi:10.1162/neco.1990.2.4.490
 */
export function truncatedBptt(options: TruncatedBpttOptions = {}): LearningMethod {
  requireKnownKeys("truncatedBptt", options, ["truncationLength"]);
  const { truncationLength } = options;
  if (truncationLength !== undefined) requireInteger("truncatedBptt", "truncationLength", truncationLength, 1);
  const isLonger = (batch: TensorTree) => truncationLength !== undefined && truncationLength > timeOf(batch);
  const windowsBack = (batch: TensorTree) => Math.ceil((truncationLength as number) / timeOf(batch)) - 1;
  return {
    name: "truncatedBptt",
    init: (problem, batch) =>
      isLonger(batch) ? noPast(problem.initialCarry(batch), batch, windowsBack(batch)) : problem.initialCarry(batch),
    step: (problem, params, state, batch, key) => {
      if (truncationLength !== undefined) requireWindows("truncatedBptt", batch);
      type Carry = ReturnType<typeof problem.initialCarry>;
      const { gradient, extra } = valueAndGrad((point: typeof params) => {
        const result = isLonger(batch)
          ? throughPast(problem, point, state as Past<Carry, typeof batch>, batch, key)
          : throughSegments(problem, point, state as Carry, cutTime(batch, truncationLength), key);
        return [averageLoss(result.loss), result] as const;
      })(params);
      return { gradient, loss: extra.loss, state: extra.state };
    },
  };
}

type Stretch = { readonly loss: LossSum; readonly state: TensorTree };

/** Loss of segments that follow each other, with gradients stopped between them. */
function throughSegments<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  problem: SequenceProblem<Params, Carry, Batch>,
  params: Params,
  start: Carry,
  segments: readonly Batch[],
  key: Tensor,
): Stretch {
  let carry = start;
  let loss: LossSum | undefined;
  segments.forEach((segment, index) => {
    const result = problem.loss(params, mapTensors(stopGradient, carry), segment, foldIn(key, index));
    carry = result.carry;
    loss = loss === undefined ? result.loss : addLosses(loss, result.loss);
  });
  return { loss: loss as LossSum, state: carry };
}

const addLosses = (a: LossSum, b: LossSum): LossSum => ({ total: add(a.total, b.total), count: add(a.count, b.count) });

/** The windows before the next one, and the carry before the first of them. First axis: the sequences. */
type Past<Carry extends TensorTree, Batch extends TensorTree> = {
  readonly carry: Carry;
  /** `[batch, time, ...]`, the last windows behind each other. */
  readonly windows: Batch;
  /** int32 `[batch]`: how many of them are real. */
  readonly seen: Tensor;
};

function noPast<Carry extends TensorTree, Batch extends TensorTree>(
  carry: Carry,
  batch: Batch,
  windowsBack: number,
): Past<Carry, Batch> {
  const windows = mapTensors(({ dtype, shape: [time, sequences, ...rest] }) => {
    return zeros([sequences as number, windowsBack * (time as number), ...rest], dtype);
  }, batch);
  return { carry, windows, seen: zeros([sequencesIn(batch)], "int32") };
}

/** Loss of one window, differentiable through those before it. */
function throughPast<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  problem: SequenceProblem<Params, Carry, Batch>,
  params: Params,
  past: Past<Carry, Batch>,
  batch: Batch,
  key: Tensor,
): Stretch {
  const windows = cutTime(mapTensors(swapTimeAndBatch, past.windows), timeOf(batch));
  let carry = mapTensors(stopGradient, past.carry);
  let afterFirst = carry;
  windows.forEach((window, index) => {
    const isReal = greaterEqual(past.seen, windows.length - index);
    const { carry: next } = problem.loss(params, carry, window, foldIn(key, index + 1));
    carry = mapTensors((fresh, old) => select(alongRows(isReal, fresh), fresh, old), next, carry);
    if (index === 0) afterFirst = carry;
  });
  const { loss } = problem.loss(params, carry, batch, foldIn(key, 0));
  const joined = mapTensors(
    (before, now) => slice(concatenate([before, swapTimeAndBatch(now)], 1), 1, now.shape[0] as number),
    past.windows,
    batch,
  );
  const seen = minimum(add(past.seen, 1), windows.length);
  return { loss, state: { carry: afterFirst, windows: joined, seen } };
}

/** A mask `[batch]` for a tensor `[batch, ...]`. */
const alongRows = (mask: Tensor, like: Tensor): Tensor =>
  reshape(mask, [mask.shape[0] as number, ...like.shape.slice(1).map(() => 1)]);

/** Cuts all tensors of a batch along time into segments of at most `length` steps. */
function cutTime<Batch extends TensorTree>(batch: Batch, length?: number): Batch[] {
  const time = timeOf(batch);
  if (length === undefined || length >= time) return [batch];
  return Array.from({ length: Math.ceil(time / length) }, (_, index) =>
    mapTensors((whole) => slice(whole, 0, index * length, Math.min((index + 1) * length, time)), batch),
  );
}
