/** What a recurrent layer is: from sequences to sequences, with a carry. */

import type { FloatDType, Tensor, TensorTree } from "../../tensor/index.js";
import type { Padding } from "./over-time.js";

/** What a layer gives back: the outputs of all steps, only the last one, or outputs and carries of all steps. */
export type RecurrentReturn = "sequence" | "last" | "states";

/** What a recurrent layer can be told about one batch. */
export interface RecurrentOptions<Carry extends TensorTree, Return extends RecurrentReturn = RecurrentReturn>
  extends Padding {
  /** The carry before the first step. Default: the layer's initial carry. */
  readonly carry?: Carry;
  /**
   * int32 `[time, batch]`: 1 where a new sequence begins in that row; the carry does not pass from the step before, in either
   * direction, but starts again from the layer's initial carry.
   */
  readonly resetMask?: Tensor;
  /** A key for this batch: switches on what is random in a layer, such as dropout. Default: off. */
  readonly key?: Tensor;
  /**
   * - "sequence": the outputs of all steps, `[time, batch, outputSize]`
   * - "last": the output of the real step that was taken last, `[batch, outputSize]`; zeros where there is none. A reverse chain
   *   takes the first step of a sequence last: with both directions, each half has read the whole sequence.
   * - "states": as "sequence", and the carry after each step; zeros at padded steps
   * @default "sequence"
   */
  readonly return?: Return;
}

/** What a recurrent layer gives back. */
export type RecurrentResult<Carry extends TensorTree, Return extends RecurrentReturn = "sequence"> = {
  /** `[time, batch, outputSize]`; for "last" `[batch, outputSize]` */
  readonly outputs: Tensor;
  /** The carry after the last step. */
  readonly carry: Carry;
} & (Return extends "states" ? States<Carry> : unknown);

/** The carry after each step: its tensors `[time, ...]`. */
export type States<Carry extends TensorTree> = { readonly states: Carry };

/** A layer from sequences to sequences. Cells over time, stacks of them and both directions all have this face. */
export interface RecurrentLayer<Params extends TensorTree, Carry extends TensorTree> {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters, concrete. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): Params;
  /** The carry before the first step. @param dtype default float32 */
  initialCarry(batchSize: number, dtype?: FloatDType): Carry;
  /**
   * Runs over a batch of sequences.
   * @param xs `[time, batch, inputSize]`
   * @throws ShapeError if `xs` is not that
   */
  apply<Return extends RecurrentReturn = "sequence">(
    params: Params,
    xs: Tensor,
    options?: RecurrentOptions<Carry, Return>,
  ): RecurrentResult<Carry, Return>;
  /**
   * What `return: "last"` would take of outputs `[time, batch, outputSize]`; for layers around this one. Default: `lastOverTime`, the
   * last real step.
   */
  lastOf?(outputs: Tensor, padding: Padding): Tensor;
}
