/** A cell that forgets everything: the hidden layer of a feedforward network, applied to each step by itself. */

import { type Cell, type DenseParams, dense } from "../nn/index.js";
import { tanh } from "../ops/index.js";

/** No carry at all. */
export type NoCarry = Readonly<Record<never, never>>;

/** Hidden units without recurrence:  y_t = tanh(W x_t + b) */
export function memoryless(sizes: {
  readonly inputSize: number;
  readonly hiddenSize: number;
}): Cell<DenseParams, NoCarry> {
  const layer = dense({ inputSize: sizes.inputSize, outputSize: sizes.hiddenSize });
  return {
    ...layer,
    initialCarry: () => ({}),
    step: (params, carry, x) => [carry, tanh(layer.apply(params, x))],
  };
}
