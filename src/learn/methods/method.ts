/** What a learning method is: how gradients are had from a stretch of time. Methods are values given to training. */

import type { LossSum } from "../../nn/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";

/** What is learnt: a loss over a stretch of time, with the carry that enters and leaves it. */
export interface SequenceProblem<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree> {
  /** The carry at the beginning of time, for a batch like this one. */
  initialCarry(batch: Batch): Carry;
  /**
   * Loss of a batch. All tensors of a batch are `[time, batch, ...]`.
   * @param key for whatever is random; undefined when the problem is evaluated rather than learnt (no dropout)
   */
  loss(params: Params, carry: Carry, batch: Batch, key?: Tensor): { readonly loss: LossSum; readonly carry: Carry };
}

/** Gradient of the average loss, the loss itself, and the method's state for the next batch. */
export type GradientStep<Params extends TensorTree, State extends TensorTree> = {
  readonly gradient: Params;
  readonly loss: LossSum;
  readonly state: State;
};

/** A way to learn through time. A pure pair: the state at the start, and one step. Both can be traced. */
export interface LearningMethod {
  readonly name: string;
  /** The method's state before the first batch. */
  init<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
    problem: SequenceProblem<Params, Carry, Batch>,
    batch: Batch,
    params: Params,
  ): TensorTree;
  /** Gradients for one batch. */
  step<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
    problem: SequenceProblem<Params, Carry, Batch>,
    params: Params,
    state: TensorTree,
    batch: Batch,
    key: Tensor,
  ): GradientStep<Params, TensorTree>;
}
