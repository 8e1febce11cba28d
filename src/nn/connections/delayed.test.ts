/** Delayed outputs as inputs: values, gradients and the form of a cell. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError } from "../../core/index.js";
import { add, at, concatenate, normal, randomKey, slice, tanh, zeros } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { mapTensors, type Tensor } from "../../tensor/index.js";
import { checkGradients } from "../../transforms/index.js";
import type { Cell } from "../cell.js";
import { elman, lstm } from "../cells/index.js";
import { linear } from "../linear.js";
import { recurrent } from "../recurrent/recurrent.js";
import { delayed } from "./delayed.js";

const [TIME, BATCH] = [7, 2];
const inner = lstm({ inputSize: 2 + 2 * 3, hiddenSize: 3 });
const cell = delayed(inner, { delays: [2, 4] });
const params = mapTensors((leaf) => numbers(leaf.shape.length, leaf.shape), inner.init(randomKey(1), "float64"));
const xs = numbers(3, [TIME, BATCH, 2]);

describe("delayed", () => {
  test("shows the cell its outputs of so many steps ago, and zeros before the start", () => {
    const { outputs } = recurrent(cell).apply(params, xs);
    const ys: Tensor[] = [];
    const none = zeros([BATCH, 3], "float64");
    let carry = inner.initialCarry(BATCH, "float64");
    for (let t = 0; t < TIME; t++) {
      const x = concatenate([at(xs, t), ys[t - 2] ?? none, ys[t - 4] ?? none]);
      const [next, y] = inner.step(params, carry, x);
      ys.push(y);
      carry = next;
    }
    ys.forEach((y, t) => {
      expectClose(at(outputs, t), y, TOLERANCES.float64);
    });
  });

  test("takes the features that its outputs leave, and keeps the parameters of the cell", () => {
    expect([cell.inputSize, cell.outputSize]).toEqual([2, 3]);
    expectSame(cell.init(randomKey(2)), inner.init(randomKey(2)));
    expect(cell.initialCarry(5).past.shape).toEqual([5, 12]);
    expect(cell.initialCarry(5).past.dtype).toBe("float32");
  });

  test("has gradients that agree with differences", () => {
    const carry = mapTensors(({ shape }) => numbers(4, shape), cell.initialCarry(BATCH, "float64"));
    const run = (p: typeof params, start: typeof carry, sequence: Tensor) => {
      const { outputs, carry: last } = recurrent(cell).apply(p, sequence, { carry: start });
      return [outputs, last];
    };
    expect(checkGradients(run, [params, carry, xs], { order: 1 }).maxError).toBeLessThan(TOLERANCES.gradient);
    expectClose(compile(run)(params, carry, xs), run(params, carry, xs), TOLERANCES.float64);
  });

  test("forgets earlier outputs where a new sequence begins, and skips padding", () => {
    const layer = recurrent(cell);
    const resetMask = int32([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], [TIME, BATCH]); // row 0, before step 3
    const packed = layer.apply(params, xs, { resetMask }).outputs;
    const second = layer.apply(params, slice(xs, 0, 3)).outputs;
    expectClose(slice(slice(packed, 0, 3), 1, 0, 1), slice(second, 1, 0, 1), TOLERANCES.float64);
    const mask = int32([1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [TIME, BATCH]); // row 0 skips step 1
    const holed = layer.apply(params, xs, { mask }).carry.past;
    const without = concatenate([slice(xs, 0, 0, 1), slice(xs, 0, 2)], 0);
    const expected = layer.apply(params, without).carry.past;
    expectClose(slice(holed, 0, 0, 1), slice(expected, 0, 0, 1), TOLERANCES.float64);
  });

  test("makes a NARX recurrence of a cell without a carry", () => {
    const layerOf: Cell<{ readonly w: Tensor }, Record<string, never>> = {
      inputSize: 1 + 3,
      outputSize: 1,
      init: () => ({ w: numbers(1, [1, 4]) }),
      initialCarry: () => ({}),
      step: ({ w }, carry, x) => [carry, tanh(linear(x, w))],
    };
    const narx = delayed(layerOf, { delays: [1, 2, 3] });
    const w = numbers(1, [1, 4]);
    const us = numbers(2, [6, 1, 1]);
    const found = recurrent(narx).apply({ w }, us).outputs.data;
    const ys: number[] = [];
    us.data.forEach((u, t) => {
      const seen = [u, ys[t - 1] ?? 0, ys[t - 2] ?? 0, ys[t - 3] ?? 0];
      ys.push(Math.tanh(seen.reduce((total, value, k) => total + value * w.data[k]!, 0)));
      expect(found[t]).toBeCloseTo(ys[t]!, 12);
    });
  });

  test("hands on the key of a cell that draws random numbers", () => {
    const noisy: Cell<Record<string, never>, Record<string, never>> = {
      inputSize: 2,
      outputSize: 1,
      usesKey: true,
      init: () => ({}),
      initialCarry: () => ({}),
      step: (_, carry, x, key) => {
        const y = slice(x, 1, 0, 1);
        return [carry, key ? add(y, normal(key, y.shape, "float64")) : y];
      },
    };
    const [plain, random] = [{}, { key: randomKey(1) }].map(
      (options) => recurrent(delayed(noisy, { delays: [1] })).apply({}, numbers(1, [3, 2, 1]), options).outputs,
    );
    expectSame(plain!, numbers(1, [3, 2, 1]));
    expect(random!.data.every((value, k) => value !== plain!.data[k])).toBe(true);
  });

  test("refuses delays that are none, and a cell without room for its outputs", () => {
    expect(() => delayed(inner, { delays: [] })).toThrow("delayed: delays is empty; give at least one");
    expect(() => delayed(inner, { delays: [0] })).toThrow(
      "delayed: each of delays must be a whole number of at least 1, but is 0",
    );
    expect(() => delayed(elman({ inputSize: 3, hiddenSize: 3 }), { delays: [1] })).toThrow(OptionError);
    expect(() => delayed(elman({ inputSize: 3, hiddenSize: 3 }), { delays: [1] })).toThrow(
      "delayed: the cell takes 3 features, but 1 outputs of 3 are behind its input; make its inputSize at least 4",
    );
  });
});
