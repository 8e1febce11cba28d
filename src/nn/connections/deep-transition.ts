/** Deep transitions: several steps of state for one step of time. */

import { OptionError } from "../../core/index.js";
import { splitKey, zeros } from "../../ops/index.js";
import { type FloatDType, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { floatDTypeOf } from "../float-dtype.js";

/** A cell without input: it refines a carry that another cell made. */
export interface Transition<Params extends TensorTree, Carry extends TensorTree> {
  /** Starting parameters, concrete. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): Params;
  /** @returns a carry of the same form, and the output `[batch, outputSize]` */
  step(params: Params, carry: Carry): readonly [carry: Carry, y: Tensor];
}

/** `cell`: of the first step; `transitions`: of those that follow */
export type DeepTransitionParams<Params extends TensorTree, Deeper extends TensorTree> = {
  readonly cell: Params;
  readonly transitions: readonly Deeper[];
};

/**
 * A cell whose carry is refined by transitions before the next step of time; the output is that of the last one.
 *
 *   s⁰ = cell(s_{t-1}, x_t)        sᵏ = transitionₖ(sᵏ⁻¹)        s_t = sⁿ
 *
 * With Elman's cell and transitions h ← tanh(V h + b) this is the deep transition RNN of Pascanu et al.; with a GRU and GRUs
 * without input, the decoder of Nematus. The path through time grows n + 1 times as long: gated transitions keep it open.
 * @param transitions at least one; they keep the form of the cell's carry and the size of its output
 * @throws OptionError if there is no transition
 * @see Pascanu, Gulcehre, Cho & Bengio 2014, arXiv:1312.6026; Sennrich et al. 2017 (Nematus), arXiv:1703.04357
 * @example const cell = deepTransition(gru({ inputSize: 8, hiddenSize: 32 }), [withoutInput(gru({ inputSize: 1, hiddenSize: 32 }))]);
 */
export function deepTransition<Params extends TensorTree, Carry extends TensorTree, Deeper extends TensorTree>(
  cell: Cell<Params, Carry>,
  transitions: readonly Transition<Deeper, Carry>[],
): Cell<DeepTransitionParams<Params, Deeper>, Carry> {
  if (transitions.length === 0) throw new OptionError("deepTransition: needs at least one transition");
  return {
    inputSize: cell.inputSize,
    outputSize: cell.outputSize,
    ...(cell.usesKey && { usesKey: true }),
    init: (key, dtype) => {
      const [cellKey, ...keys] = splitKey(key, transitions.length + 1) as [Tensor, ...Tensor[]];
      return {
        cell: cell.init(cellKey, dtype),
        transitions: transitions.map((transition, index) => transition.init(keys[index] as Tensor, dtype)),
      };
    },
    initialCarry: (batchSize, dtype) => cell.initialCarry(batchSize, dtype),
    step: (params, carry, x, key) =>
      transitions.reduce(
        ([state], transition, index) => transition.step(params.transitions[index] as Deeper, state),
        cell.step(params.cell, carry, x, key),
      ),
  };
}

/** A cell as a transition: its input is 0, so its input weights have no effect; give it `inputSize` 1. */
export function withoutInput<Params extends TensorTree, Carry extends TensorTree>(
  cell: Cell<Params, Carry>,
): Transition<Params, Carry> {
  return {
    init: (key, dtype) => cell.init(key, dtype),
    step: (params, carry) => {
      const [[, { shape }]] = tensorsByPath(carry) as [[string, Tensor]];
      return cell.step(params, carry, zeros([shape[0] as number, cell.inputSize], floatDTypeOf(carry)));
    },
  };
}
