/** The cells that take just two sizes, by the names that people type. */

import { nearestName, OptionError } from "../../core/index.js";
import type { TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { elman } from "./elman-cell.js";
import { gru } from "./gru-cell.js";
import { gruResetBefore } from "./gru-reset-before-cell.js";
import { lstm } from "./lstm-cell.js";

const CELLS = { elman, lstm, gru, "gru-reset-before": gruResetBefore } as const;

/** Name of a cell. */
export type CellName = keyof typeof CELLS;

/** All names, in the order they should be offered. */
export const CELL_NAMES = Object.keys(CELLS) as readonly CellName[];

/**
 * Makes a cell by its name.
 * @throws OptionError naming the nearest cell if there is none of that name
 */
export function cellByName(
  name: string,
  sizes: { readonly inputSize: number; readonly hiddenSize: number },
): Cell<TensorTree, TensorTree> {
  if (!Object.hasOwn(CELLS, name)) {
    throw new OptionError(
      `there is no cell "${name}"; did you mean ${nearestName(name, CELL_NAMES)}? The cells are ${CELL_NAMES.join(", ")}`,
    );
  }
  return CELLS[name as CellName](sizes) as unknown as Cell<TensorTree, TensorTree>;
}
