/** Any cell with connections from its own earlier outputs. */

import { OptionError, requireKnownKeys } from "../../core/index.js";
import { concatenate, zeros } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { delayedBy, pushDelay, requireDelays } from "./delay-line.js";

/** The cell's own carry, and `past [batch, longest delay * outputSize]`: its last outputs, newest first. */
export type DelayedState<Carry extends TensorTree> = { readonly cell: Carry; readonly past: Tensor };

/**
 * A cell that also sees its own outputs of some steps ago, behind its input:
 *
 *   y_t = cell([x_t, y_{t-d₁}, y_{t-d₂}, ...])
 *
 * Each is a short way for gradients through time. Around a cell without a carry of its own, it is the recurrence of a NARX network.
 * The parameters are those of the cell.
 * @param cell its `inputSize` counts the outputs that it sees: that of the result is smaller by delays * outputSize
 * @param settings.delays steps, each at least 1
 * @throws OptionError if a delay is no whole number of at least 1 or given twice, or the cell's input has no room for the outputs
 * @see Lin, Horne, Tiňo & Giles 1996, Learning long-term dependencies in NARX recurrent neural networks, doi:10.1109/72.548162
 * @example delayed(lstm({ inputSize: 8 + 2 * 32, hiddenSize: 32 }), { delays: [5, 10] }) // takes 8 features
 */
export function delayed<Params extends TensorTree, Carry extends TensorTree>(
  cell: Cell<Params, Carry>,
  settings: { readonly delays: readonly number[] },
): Cell<Params, DelayedState<Carry>> {
  requireKnownKeys("delayed", settings, ["delays"]);
  const { delays } = settings;
  requireDelays("delayed", delays);
  const { outputSize } = cell;
  const inputSize = cell.inputSize - delays.length * outputSize;
  if (inputSize < 1) {
    throw new OptionError(
      `delayed: the cell takes ${cell.inputSize} features, but ${delays.length} outputs of ${outputSize} are behind its input; ` +
        `make its inputSize at least ${delays.length * outputSize + 1}`,
    );
  }
  return {
    inputSize,
    outputSize,
    ...(cell.usesKey && { usesKey: true }),
    init: (key, dtype) => cell.init(key, dtype),
    initialCarry: (batchSize, dtype = "float32") => ({
      cell: cell.initialCarry(batchSize, dtype),
      past: zeros([batchSize, Math.max(...delays) * outputSize], dtype),
    }),
    step: (params, { cell: before, past }, x, key) => {
      const seen = delays.map((delay) => delayedBy(past, delay, outputSize));
      const [after, y] = cell.step(params, before, concatenate([x, ...seen]), key);
      return [{ cell: after, past: pushDelay(past, y) }, y];
    },
  };
}
