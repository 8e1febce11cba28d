/** Deep transitions: their equation, and the published models that they give. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, largestError, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { add, at, foldIn, randomKey, slice, splitKey, tanh, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { checkGradients } from "../../transforms/index.js";
import {
  type DenseParams,
  deepTransition,
  dense,
  type ElmanState,
  elman,
  gru,
  linear,
  lstm,
  recurrent,
  type Transition,
  withoutInput,
} from "../index.js";

const hidden = dense({ inputSize: 4, outputSize: 4 });
const tanhTransition: Transition<DenseParams, ElmanState> = {
  init: hidden.init,
  step: (params, { h }) => {
    const next = tanh(hidden.apply(params, h));
    return [{ h: next }, next];
  },
};

describe("deepTransition", () => {
  const xs = numbers(1, [4, 2, 3]);

  test("of Elman's cell with tanh layers is the deep transition network of Pascanu et al.", () => {
    const cell = deepTransition(elman({ inputSize: 3, hiddenSize: 4 }), [tanhTransition, tanhTransition]);
    const params = cell.init(randomKey(1), "float64");
    const { outputs } = recurrent(cell).apply(params, xs);
    let h: Tensor = cell.initialCarry(2, "float64").h;
    for (let t = 0; t < 4; t++) {
      const { weightIh, weightHh, bias } = params.cell;
      h = tanh(add(linear(at(xs, t), weightIh, bias), linear(h, weightHh)));
      for (const { weight, bias: own } of params.transitions) h = tanh(linear(h, weight, own));
      expectClose(at(outputs, t), h, TOLERANCES.float64);
    }
  });

  test("with cells without input is those cells on an input of 0, one after another", () => {
    const [first, second] = [gru({ inputSize: 3, hiddenSize: 4 }), gru({ inputSize: 1, hiddenSize: 4 })];
    const cell = deepTransition(first, [withoutInput(second), withoutInput(second)]);
    const params = cell.init(randomKey(1), "float64");
    const [carry, y] = cell.step(params, { h: numbers(2, [2, 4]) }, at(xs, 0));
    let [state] = first.step(params.cell, { h: numbers(2, [2, 4]) }, at(xs, 0));
    for (const own of params.transitions) [state] = second.step(own, state, zeros([2, 1], "float64"));
    expectSame(carry, state);
    expectSame(y, state.h);
    const other = params.transitions.map((own) => ({ ...own, weightIh: numbers(3, [12, 1]) }));
    expectSame(cell.step({ ...params, transitions: other }, { h: numbers(2, [2, 4]) }, at(xs, 0))[1], y);
    expect(largestError(params.transitions[0]!.weightHh, params.transitions[1]!.weightHh).error).toBeGreaterThan(0.1);
  });

  test("hands the key to a cell that uses one", () => {
    const noisy = lstm({ inputSize: 3, hiddenSize: 4, updateDropout: 0.5 });
    const cell = deepTransition(noisy, [withoutInput(lstm({ inputSize: 1, hiddenSize: 4 }))]);
    expect(cell.usesKey).toBe(true);
    const params = cell.init(randomKey(1), "float64");
    const start = cell.initialCarry(2, "float64");
    const key = randomKey(7);
    const { carry } = recurrent(cell).apply(params, slice(xs, 0, 0, 1), { key });
    expectSame(carry, cell.step(params, start, at(xs, 0), foldIn(splitKey(key, 3)[0]!, 0))[0]);
    expect(largestError(carry, cell.step(params, start, at(xs, 0))[0]).error).toBeGreaterThan(1e-3);
  });

  test("runs ragged, with gradients that agree with differences", () => {
    const cell = deepTransition(elman({ inputSize: 3, hiddenSize: 4 }), [tanhTransition]);
    const options = { sequenceLengths: int32([2, 4]) };
    const layer = recurrent(cell);
    const params = layer.init(randomKey(1), "float64");
    const alone = layer.apply(params, slice(slice(xs, 1, 0, 1), 0, 0, 2));
    expectClose(slice(layer.apply(params, xs, options).carry.h, 0, 0, 1), alone.carry.h, TOLERANCES.float64);
    const { maxError } = checkGradients((p, x) => layer.apply(p, x, options).outputs, [params, xs]);
    expect(maxError).toBeLessThan(TOLERANCES.gradient);
  });

  test("needs a transition", () => {
    expect(() => deepTransition(elman({ inputSize: 3, hiddenSize: 4 }), [])).toThrow(
      "deepTransition: needs at least one transition",
    );
  });
});
