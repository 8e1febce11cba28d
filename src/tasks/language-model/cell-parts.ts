/** What the gates and the blocks of recurrent weights are called, for every cell that has a name. */

import type { CellName } from "../../nn/index.js";

/** Names of the parts of a cell. */
export interface CellParts {
  /** Gates, in the order in which a step computes them; empty for a cell without. */
  readonly gates: readonly string[];
  /** Blocks of `weightHh`, from its first row on; empty for a cell without, "" for a single one. */
  readonly blocks: readonly string[];
}

const LSTM: CellParts = { gates: ["f", "i", "o"], blocks: ["i", "f", "g", "o"] };
const GRU: CellParts = { gates: ["z", "r"], blocks: ["r", "z", "n"] };
const RESET_FIRST: CellParts = { gates: ["r", "z"], blocks: ["r", "z", "n"] };
const PLAIN: CellParts = { gates: [], blocks: [""] };

/** The parts of all cells. */
export const CELL_PARTS: Readonly<Record<CellName, CellParts>> = {
  elman: PLAIN,
  lstm: LSTM,
  gru: GRU,
  "gru-reset-before": RESET_FIRST,
  "peephole-lstm": LSTM,
  "coupled-lstm": { gates: ["i", "o"], blocks: ["i", "g", "o"] },
  "layer-norm-lstm": LSTM,
  "layer-norm-gru": GRU,
  mgu: { gates: ["f"], blocks: ["f", "n"] },
  mut1: { gates: ["r", "z"], blocks: ["r", "n"] },
  mut2: RESET_FIRST,
  mut3: RESET_FIRST,
  "lstm-1997": { gates: ["i", "o"], blocks: [""] },
  irnn: PLAIN,
  indrnn: PLAIN,
  // Its logistic functions are activations, and what recurs is fixed.
  jordan: { gates: [], blocks: [] },
  "min-gru": { gates: ["z"], blocks: [] },
  "min-lstm": { gates: ["f", "i"], blocks: [] },
  lru: { gates: [], blocks: [] },
};
