/** Two chains over the same sequences, in opposite directions. */

import { OptionError } from "../core/index.js";
import { concatenate, splitKey } from "../ops/index.js";
import type { Tensor, TensorTree } from "../tensor/index.js";
import type { Cell } from "./cell.js";
import { type RecurrentLayer, recurrent } from "./recurrent.js";

/** One thing for each direction. */
export type BothDirections<T> = { readonly forward: T; readonly backward: T };

/**
 * A cell in each direction; the outputs of each step are joined, forward half first. With ragged sequences, the backward
 * chain starts at each sequence's own last step.
 * @param backward default: a second cell like the first, with parameters of its own
 * @throws OptionError if the cells differ in their input size
 * @see Schuster & Paliwal 1997, doi:10.1109/78.650093
 * @example const layer = bidirectional(gru({ inputSize: 8, hiddenSize: 32 }));   // outputs [time, batch, 64]
 */
export function bidirectional<Params extends TensorTree, Carry extends TensorTree>(
  forward: Cell<Params, Carry>,
  backward: Cell<Params, Carry> = forward,
): RecurrentLayer<BothDirections<Params>, BothDirections<Carry>> {
  if (forward.inputSize !== backward.inputSize) {
    throw new OptionError(
      `bidirectional: the cells take ${forward.inputSize} and ${backward.inputSize} features; they must agree`,
    );
  }
  const there = recurrent(forward);
  const back = recurrent(backward, { reverse: true });
  return {
    inputSize: forward.inputSize,
    outputSize: forward.outputSize + backward.outputSize,
    init: (key, dtype) => {
      const [forwardKey, backwardKey] = splitKey(key) as [Tensor, Tensor];
      return { forward: there.init(forwardKey, dtype), backward: back.init(backwardKey, dtype) };
    },
    initialCarry: (batchSize, dtype) => ({
      forward: there.initialCarry(batchSize, dtype),
      backward: back.initialCarry(batchSize, dtype),
    }),
    apply: (params, xs, options = {}) => {
      const { carry, ...shared } = options;
      const ahead = there.apply(params.forward, xs, { ...shared, ...(carry && { carry: carry.forward }) });
      const behind = back.apply(params.backward, xs, { ...shared, ...(carry && { carry: carry.backward }) });
      return {
        outputs: concatenate([ahead.outputs, behind.outputs]),
        carry: { forward: ahead.carry, backward: behind.carry },
      };
    },
  };
}
