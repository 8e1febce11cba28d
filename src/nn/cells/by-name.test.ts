/** Cells by name. */

import { describe, expect, test } from "vitest";
import { expectSame } from "../../../test/close.js";
import { randomKey } from "../../ops/index.js";
import type { TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import {
  CELL_NAMES,
  type CellName,
  type CellSizes,
  cellByName,
  coupledLstm,
  elman,
  gru,
  gruResetBefore,
  indrnn,
  irnn,
  jordan,
  layerNormGru,
  layerNormLstm,
  lru,
  lstm,
  lstm1997,
  mgu,
  minGru,
  minLstm,
  mut1,
  mut2,
  mut3,
  peepholeLstm,
} from "./index.js";

const FUNCTIONS: Readonly<Record<CellName, (sizes: CellSizes) => Cell<never, never> | Cell<TensorTree, TensorTree>>> = {
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
  "lstm-1997": ({ inputSize, hiddenSize }) => lstm1997({ inputSize, blocks: hiddenSize, blockSize: 1 }),
  irnn,
  indrnn,
  jordan,
  "min-gru": minGru,
  "min-lstm": minLstm,
  lru,
};

describe("cellByName", () => {
  const sizes = { inputSize: 3, hiddenSize: 2 };

  test("makes the cell that the function of that name makes", () => {
    expect(CELL_NAMES).toEqual(Object.keys(FUNCTIONS));
    for (const name of CELL_NAMES) {
      const [cell, other] = [cellByName(name, sizes), FUNCTIONS[name](sizes)];
      expect([cell.inputSize, cell.outputSize]).toEqual([3, 2]);
      expectSame(cell.init(randomKey(1)), other.init(randomKey(1)));
      expectSame(cell.initialCarry(2), other.initialCarry(2));
    }
  });

  test("names the nearest cell when there is none of that name", () => {
    expect(() => cellByName("lsmt", sizes)).toThrow(
      'there is no cell "lsmt"; did you mean lstm? The cells are elman, lstm, gru, gru-reset-before',
    );
    expect(() => cellByName("toString", sizes)).toThrow('there is no cell "toString"');
  });
});
