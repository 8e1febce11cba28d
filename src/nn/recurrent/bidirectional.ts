/** Two chains over the same sequences, in opposite directions. */

import { OptionError, requireKnownKeys } from "../../core/index.js";
import { concatenate, foldIn, slice, splitKey } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { firstOverTime, lastOverTime } from "./over-time.js";
import { type RecurrentSettings, recurrent } from "./recurrent.js";
import type { RecurrentLayer, RecurrentOptions, RecurrentResult, RecurrentReturn } from "./recurrent-layer.js";
import type { StepsResult } from "./run-steps.js";

/** One thing for each direction. */
export type BothDirections<T> = { readonly forward: T; readonly backward: T };

/**
 * A cell in each direction; the outputs of each step are joined, forward half first. With ragged sequences, the backward
 * chain starts at each sequence's own last step.
 * @param backward default: a second cell like the first, with parameters of its own
 * @param settings of both chains; see `recurrent`
 * @throws OptionError if the cells differ in their input size
 * @see Schuster & Paliwal 1997, doi:10.1109/78.650093
 * @example const layer = bidirectional(gru({ inputSize: 8, hiddenSize: 32 }));   // outputs [time, batch, 64]
 */
export function bidirectional<Params extends TensorTree, Carry extends TensorTree>(
  forward: Cell<Params, Carry>,
  backward: Cell<Params, Carry> = forward,
  settings: Omit<RecurrentSettings, "reverse"> = {},
): RecurrentLayer<BothDirections<Params>, BothDirections<Carry>> {
  if (forward.inputSize !== backward.inputSize) {
    throw new OptionError(
      `bidirectional: the cells take ${forward.inputSize} and ${backward.inputSize} features; they must agree`,
    );
  }
  requireKnownKeys("bidirectional", settings, ["checkpoint", "dropout", "zoneout"]);
  const there = recurrent(forward, settings);
  const back = recurrent(backward, { ...settings, reverse: true });
  return {
    inputSize: forward.inputSize,
    outputSize: forward.outputSize + backward.outputSize,
    init: (key, dtype) => {
      const [forwardKey, backwardKey] = splitKey(key);
      return { forward: there.init(forwardKey, dtype), backward: back.init(backwardKey, dtype) };
    },
    initialCarry: (batchSize, dtype) => ({
      forward: there.initialCarry(batchSize, dtype),
      backward: back.initialCarry(batchSize, dtype),
    }),
    lastOf: (outputs, padding) =>
      concatenate([
        lastOverTime(slice(outputs, -1, 0, forward.outputSize), padding),
        firstOverTime(slice(outputs, -1, forward.outputSize), padding),
      ]),
    apply: <Return extends RecurrentReturn>(
      params: BothDirections<Params>,
      xs: Tensor,
      options: RecurrentOptions<BothDirections<Carry>, Return> = {},
    ) => {
      const { carry, key, ...shared } = options;
      const run = (layer: RecurrentLayer<Params, Carry>, name: keyof BothDirections<unknown>, number: number) =>
        layer.apply<RecurrentReturn>(params[name], xs, {
          ...shared,
          ...(carry && { carry: carry[name] }),
          ...(key && { key: foldIn(key, number) }),
        }) as StepsResult<Carry>;
      const [ahead, behind] = [run(there, "forward", 0), run(back, "backward", 1)];
      return {
        outputs: concatenate([ahead.outputs, behind.outputs]),
        carry: { forward: ahead.carry, backward: behind.carry },
        ...(ahead.states && behind.states && { states: { forward: ahead.states, backward: behind.states } }),
      } as unknown as RecurrentResult<BothDirections<Carry>, Return>;
    },
  };
}
