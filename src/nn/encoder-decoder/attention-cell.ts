/** A cell that attends to a sequence before each of its steps. */

import { concatenate, splitKey, zeros } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import type { Attention, AttentionMemory } from "./attention.js";

/** Parameters of the cell and of its attention. */
export type AttentionCellParams<Params extends TensorTree, Attend extends TensorTree> = {
  readonly cell: Params;
  readonly attention: Attend;
};

/** The cell's carry, and its newest output `[batch, outputSize]`, which asks at the next step. */
export type AttentionCellCarry<Carry extends TensorTree> = { readonly cell: Carry; readonly output: Tensor };

/**
 * A cell that reads, beside its input, what it attends to:
 *
 *   context_t, a_t = attend(memory, y_{t-1})      h_t, y_t = cell(h_{t-1}, [x_t ; context_t])      y_0 = 0
 *
 * Its output is `[y_t ; context_t ; a_t]`: the weights come along, for pictures.
 * @param cell takes the features of x and of the memory
 * @param memory what `attention.prepare` gave. Its number of steps is part of the output's width
 * @see Bahdanau, Cho & Bengio 2015, arXiv:1409.0473; theirs reads the context through the gates, as here, but asks with h
 */
export function attentionCell<Params extends TensorTree, Carry extends TensorTree, Attend extends TensorTree>(
  cell: Cell<Params, Carry>,
  attention: Attention<Attend>,
  memory: AttentionMemory,
): Cell<AttentionCellParams<Params, Attend>, AttentionCellCarry<Carry>> {
  return {
    ...(cell.usesKey && { usesKey: true }),
    inputSize: cell.inputSize - attention.memorySize,
    outputSize: cell.outputSize + attention.memorySize + (memory.values.shape[1] as number),
    init: (key, dtype) => {
      const [cellKey, attentionKey] = splitKey(key);
      return { cell: cell.init(cellKey, dtype), attention: attention.init(attentionKey, dtype) };
    },
    initialCarry: (batchSize, dtype) => ({
      cell: cell.initialCarry(batchSize, dtype),
      output: zeros([batchSize, cell.outputSize], dtype),
    }),
    step: (params, carry, x, key) => {
      const { context, weights } = attention.attend(params.attention, memory, carry.output);
      const [next, output] = cell.step(params.cell, carry.cell, concatenate([x, context]), key);
      return [{ cell: next, output }, concatenate([output, context, weights])];
    },
  };
}
