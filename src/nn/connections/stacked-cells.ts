/** A stack of cells as one cell: for wherever a single step of all layers is needed. */

import { requireKnownKeys } from "../../core/index.js";
import { foldIn, splitKey } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { dropout } from "../layers/dropout.js";
import { requireChain } from "../require-chain.js";
import type { CarriesOfAll, ParamsOfAll } from "../types.js";

/** What is done between the cells. */
export interface StackedCellsSettings {
  /** Rate on the connections between cells, in [0, 1), drawn anew at each step; acts only where there is a key. @default 0 */
  readonly dropout?: number;
}

/**
 * Cells on top of each other, within one step: the output of each is the input of the next. Over time it is what `stacked` is; but where
 * a step needs the output of the step before (`feedback`, a decoder), all layers have to go through a step together, and there it serves.
 *
 *   h^l_t, y^l_t = cell^l(h^l_{t-1}, y^{l-1}_t)        y^0_t = x_t
 *
 * Parameters and carries are lists, first cell first.
 * @throws OptionError if there is no cell, sizes do not fit, or dropout is asked for with one cell (it would do nothing)
 * @see Graves 2013, arXiv:1308.0850; dropout: Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329
 * @example const cell = stackedCells([lstm({ inputSize: 8, hiddenSize: 32 }), lstm({ inputSize: 32, hiddenSize: 32 })]);
 */
export function stackedCells<const Cells extends readonly Cell<TensorTree, TensorTree>[]>(
  cells: Cells,
  settings: StackedCellsSettings = {},
): Cell<ParamsOfAll<Cells>, CarriesOfAll<Cells>> {
  // What each cell is given is what it made itself; in here, they are all the same.
  return stackOf(cells, settings) as unknown as Cell<ParamsOfAll<Cells>, CarriesOfAll<Cells>>;
}

function stackOf<Params extends TensorTree, Carry extends TensorTree>(
  cells: readonly Cell<Params, Carry>[],
  settings: StackedCellsSettings,
): Cell<readonly Params[], readonly Carry[]> {
  requireKnownKeys("stackedCells", settings, ["dropout"]);
  const { dropout: rate = 0 } = settings;
  requireChain("stackedCells", "cell", cells, rate);
  const [first, last] = [cells[0], cells.at(-1)] as [Cell<Params, Carry>, Cell<Params, Carry>];
  return {
    ...((rate > 0 || cells.some(({ usesKey }) => usesKey)) && { usesKey: true }),
    inputSize: first.inputSize,
    outputSize: last.outputSize,
    init: (key, dtype) => {
      const keys = splitKey(key, cells.length);
      return cells.map((cell, index) => cell.init(keys[index] as Tensor, dtype));
    },
    initialCarry: (batchSize, dtype) => cells.map((cell) => cell.initialCarry(batchSize, dtype)),
    step: (params, carries, x, key) => {
      let y = x;
      const after = cells.map((cell, index) => {
        const [cellKey, dropoutKey] = key ? splitKey(foldIn(key, index)) : [];
        const input = index > 0 && dropoutKey ? dropout(dropoutKey, y, rate) : y;
        const [carry, output] = cell.step(params[index] as Params, carries[index] as Carry, input, cellKey);
        y = output;
        return carry;
      });
      return [after, y];
    },
  };
}
