/** Backpropagation through a limited stretch of time, for streams that have no end. */

import { requireInteger, requireKnownKeys } from "../../core/index.js";
import { averageLoss, type LossSum } from "../../nn/index.js";
import { add, foldIn, slice, stopGradient } from "../../ops/index.js";
import { mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";
import { valueAndGrad } from "../../transforms/index.js";
import type { LearningMethod } from "./method.js";

/** How far gradients go back. */
export interface TruncatedBpttOptions {
  /** Steps that a gradient looks back at most, at least 1. @default the length of each window */
  readonly truncationLength?: number;
}

/**
 * Truncated backpropagation through time: batches are windows of streams that follow each other. The carry at the end
 * of a window enters the next; gradients stop there, and, inside a window, every `truncationLength` steps. One update
 * is made for each window.
 *
 *   window k:  carry_k -> (L_k, carry_{k+1}),    gradient of L_k with carry_k held constant
 *
 * Biased: dependencies longer than `truncationLength` get no gradient (they can still be carried). Exact when the window is the
 * whole sequence. Time O(T P), memory O(T H) for windows of T steps, whatever the length of the stream.
 * @throws OptionError if `truncationLength` is not a whole number of at least 1
 * @see Williams & Peng 1990, doi:10.1162/neco.1990.2.4.490
 */
export function truncatedBptt(options: TruncatedBpttOptions = {}): LearningMethod {
  requireKnownKeys("truncatedBptt", options, ["truncationLength"]);
  const { truncationLength } = options;
  if (truncationLength !== undefined) requireInteger("truncatedBptt", "truncationLength", truncationLength, 1);
  return {
    name: "truncatedBptt",
    init: (problem, batch) => problem.initialCarry(batch),
    step: (problem, params, state, batch, key) => {
      const { gradient, extra } = valueAndGrad((point: typeof params) => {
        let carry = state as ReturnType<typeof problem.initialCarry>;
        let loss: LossSum | undefined;
        cutTime(batch, truncationLength).forEach((segment, index) => {
          const result = problem.loss(point, mapTensors(stopGradient, carry), segment, foldIn(key, index));
          carry = result.carry;
          loss = loss === undefined ? result.loss : addLosses(loss, result.loss);
        });
        return [averageLoss(loss as LossSum), { loss: loss as LossSum, carry }] as const;
      })(params);
      return { gradient, loss: extra.loss, state: extra.carry };
    },
  };
}

const addLosses = (a: LossSum, b: LossSum): LossSum => ({ total: add(a.total, b.total), count: add(a.count, b.count) });

/** Cuts all tensors of a batch along time into segments of at most `length` steps. */
function cutTime<Batch extends TensorTree>(batch: Batch, length?: number): Batch[] {
  const time = (tensorsByPath(batch)[0] as [string, Tensor])[1].shape[0] as number;
  if (length === undefined || length >= time) return [batch];
  return Array.from({ length: Math.ceil(time / length) }, (_, index) =>
    mapTensors((whole) => slice(whole, 0, index * length, Math.min((index + 1) * length, time)), batch),
  );
}
