import { describe, expect, test } from "vitest";
import { expectClose, int32, numbers } from "../../../test/close.js";
import { ones, randomKey } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { type Cell, gru, lstm, recurrent, stacked, stackedCells } from "../index.js";

const cells = [gru({ inputSize: 2, hiddenSize: 3 }), gru({ inputSize: 3, hiddenSize: 3 })];

describe("stackedCells", () => {
  test("over time is what stacked is, in outputs and carries, ragged and restarted", () => {
    const [together, apart] = [recurrent(stackedCells(cells)), stacked(cells.map((cell) => recurrent(cell)))];
    const params = apart.init(randomKey(1), "float64");
    expectClose(together.init(randomKey(1), "float64"), params, 0);
    const xs = numbers(1, [5, 3, 2]);
    const resetMask = int32([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], [5, 3]);
    for (const options of [{}, { sequenceLengths: int32([5, 0, 2]) }, { resetMask }]) {
      expectClose(together.apply(params, xs, options), apart.apply(params, xs, options), 1e-15);
    }
  });

  test("draws dropout between its cells anew at each step, and only with a key", () => {
    const cell: Cell<readonly [], readonly []> = {
      inputSize: 4,
      outputSize: 4,
      init: () => [],
      initialCarry: () => [],
      step: (_, carry, x) => [carry, x],
    };
    const layer = recurrent(stackedCells([cell, cell], { dropout: 0.5 }));
    const run = (key?: Tensor) =>
      Array.from(layer.apply([[], []], ones([50, 4, 4], "float64"), key ? { key } : {}).outputs.data);
    expect(run()).toEqual(new Array(800).fill(1));
    const dropped = run(randomKey(1));
    expect(new Set(dropped)).toEqual(new Set([0, 2]));
    expect(dropped.slice(0, 16)).not.toEqual(dropped.slice(16, 32));
    expect(Math.abs(dropped.reduce((sum, value) => sum + value, 0) / 800 - 1)).toBeLessThan(3 / Math.sqrt(800));
  });

  test("names the cells that do not fit, and refuses dropout without effect", () => {
    const other = lstm({ inputSize: 4, hiddenSize: 3 });
    expect(() => stackedCells([cells[0], other] as unknown as Cell<never, never>[])).toThrow(
      "stackedCells: cell 1 takes 4 features, but cell 0 gives 3",
    );
    expect(() => stackedCells([])).toThrow("needs at least one cell");
    expect(() => stackedCells([cells[0]], { dropout: 0.1 })).toThrow("has no effect with one cell");
  });
});
