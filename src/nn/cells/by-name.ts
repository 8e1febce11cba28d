/** The cells that take just two sizes, by the names that people type. */

import { nearestName, OptionError } from "../../core/index.js";
import type { TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import type { CellSizes } from "./cell-options.js";
import { coupledLstm } from "./coupled-lstm-cell.js";
import { elman } from "./elman-cell.js";
import { gru } from "./gru-cell.js";
import { gruResetBefore } from "./gru-reset-before-cell.js";
import { indrnn } from "./indrnn-cell.js";
import { irnn } from "./irnn-cell.js";
import { jordan } from "./jordan-cell.js";
import { layerNormGru } from "./layer-norm-gru-cell.js";
import { layerNormLstm } from "./layer-norm-lstm-cell.js";
import { lru } from "./lru-cell.js";
import { lstm1997 } from "./lstm-1997-cell.js";
import { lstm } from "./lstm-cell.js";
import { mgu } from "./mgu-cell.js";
import { minGru } from "./min-gru-cell.js";
import { minLstm } from "./min-lstm-cell.js";
import { mut1 } from "./mut1-cell.js";
import { mut2 } from "./mut2-cell.js";
import { mut3 } from "./mut3-cell.js";
import { peepholeLstm } from "./peephole-lstm-cell.js";

const CELLS = {
  elman,
  lstm,
  gru,
  "gru-reset-before": gruResetBefore,
  "peephole-lstm": peepholeLstm,
  "coupled-lstm": coupledLstm,
  "layer-norm-lstm": layerNormLstm,
  "layer-norm-gru": layerNormGru,
  mgu,
  mut1,
  mut2,
  mut3,
  "lstm-1997": ({ inputSize, hiddenSize }: CellSizes) => lstm1997({ inputSize, blocks: hiddenSize }),
  irnn,
  indrnn,
  jordan,
  "min-gru": minGru,
  "min-lstm": minLstm,
  lru,
} as const;

/** Name of a cell. */
export type CellName = keyof typeof CELLS;

/** All names, in the order they should be offered. */
export const CELL_NAMES = Object.keys(CELLS) as readonly CellName[];

/**
 * Makes a cell by its name.
 * @throws OptionError naming the nearest cell if there is none of that name
 */
export function cellByName(name: string, sizes: CellSizes): Cell<TensorTree, TensorTree> {
  if (!Object.hasOwn(CELLS, name)) {
    throw new OptionError(
      `there is no cell "${name}"; did you mean ${nearestName(name, CELL_NAMES)}? The cells are ${CELL_NAMES.join(", ")}`,
    );
  }
  return CELLS[name as CellName](sizes) as unknown as Cell<TensorTree, TensorTree>;
}
