/** Cells by name. */

import { describe, expect, test } from "vitest";
import { expectSame } from "../../../test/close.js";
import { randomKey } from "../../ops/index.js";
import { CELL_NAMES, cellByName, elman, gru, gruResetBefore, lstm } from "./index.js";

describe("cellByName", () => {
  const sizes = { inputSize: 3, hiddenSize: 2 };

  test("makes the cell that the function of that name makes", () => {
    expect(CELL_NAMES).toEqual(["elman", "lstm", "gru", "gru-reset-before"]);
    [elman, lstm, gru, gruResetBefore].forEach((make, index) => {
      const cell = cellByName(CELL_NAMES[index]!, sizes);
      expect([cell.inputSize, cell.outputSize]).toEqual([3, 2]);
      expectSame(cell.init(randomKey(1)), make(sizes).init(randomKey(1)));
      expectSame(cell.initialCarry(2), make(sizes).initialCarry(2));
    });
  });

  test("names the nearest cell when there is none of that name", () => {
    expect(() => cellByName("lsmt", sizes)).toThrow(
      'there is no cell "lsmt"; did you mean lstm? The cells are elman, lstm, gru, gru-reset-before',
    );
    expect(() => cellByName("toString", sizes)).toThrow('there is no cell "toString"');
  });
});
