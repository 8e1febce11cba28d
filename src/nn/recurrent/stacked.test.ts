/** Stacks: golden values, the same as layers one after another, and dropout between them. */

import { describe, expect, test } from "vitest";
import { expectSame, int32, largestError, numbers } from "../../../test/close.js";
import { runGoldenCase } from "../../../test/golden.js";
import { OptionError } from "../../core/index.js";
import { add, randomKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { type Tensor, toNested } from "../../tensor/index.js";
import {
  type BothDirections,
  bidirectional,
  type Cell,
  elman,
  type GRUParams,
  gru,
  type LSTMParams,
  lstm,
  recurrent,
  stacked,
} from "../index.js";

const layerOf = (inputSize: number, hiddenSize: number) => recurrent(lstm({ inputSize, hiddenSize }));

runGoldenCase("stackedLstm", stacked([layerOf(4, 3), layerOf(3, 3)]));

describe("stacked", () => {
  test("of three layers equals three layers one after another", () => {
    const layers = [layerOf(2, 3), layerOf(3, 5), layerOf(5, 4)];
    const whole = stacked(layers);
    expect([whole.inputSize, whole.outputSize]).toEqual([2, 4]);
    const params = whole.init(randomKey(1), "float64");
    const xs = numbers(1, [6, 2, 2]);
    const carry = whole.initialCarry(2, "float64");
    for (const options of [{}, { sequenceLengths: int32([6, 3]) }]) {
      const result = whole.apply(params, xs, { ...options, carry });
      let outputs = xs;
      layers.forEach((layer, index) => {
        const own = layer.apply(params[index]!, outputs, options);
        outputs = own.outputs;
        expectSame(result.carry[index]!, own.carry);
      });
      expectSame(result.outputs, outputs);
    }
  });

  test("of one layer equals that layer", () => {
    const [one, layer] = [stacked([layerOf(2, 3)]), layerOf(2, 3)];
    const [params] = one.init(randomKey(1)) as [ReturnType<typeof layer.init>];
    const xs = numbers(1, [4, 2, 2], "float32");
    expectSame(one.apply([params], xs).outputs, layer.apply(params, xs).outputs);
  });

  test("gives each layer weights of its own", () => {
    const [first, second] = stacked([layerOf(3, 3), layerOf(3, 3)]).init(randomKey(1));
    expect(first!.weightHh.data).not.toEqual(second!.weightHh.data);
  });

  test("takes layers of different cells, and knows the parameters and carry of each", () => {
    const layers = [
      recurrent(gru({ inputSize: 2, hiddenSize: 3 })),
      bidirectional(lstm({ inputSize: 3, hiddenSize: 2 })),
    ] as const;
    const whole = stacked(layers);
    const params: readonly [GRUParams, BothDirections<LSTMParams>] = whole.init(randomKey(1), "float64");
    const xs = numbers(1, [5, 2, 2]);
    const { outputs, carry } = whole.apply(params, xs);
    const below = layers[0].apply(params[0], xs);
    const above = layers[1].apply(params[1], below.outputs);
    expectSame(outputs, above.outputs);
    expectSame(carry[0].h, below.carry.h);
    expectSame(carry[1].backward.c, above.carry.backward.c);
  });

  test("stacks of stacks are stacks", () => {
    const inner = stacked([layerOf(2, 3), layerOf(3, 3)]);
    const outer = stacked([inner, stacked([layerOf(3, 4)])]);
    const params = outer.init(randomKey(1));
    expect(outer.apply(params, numbers(1, [4, 2, 2], "float32")).outputs.shape).toEqual([4, 2, 4]);
  });

  test("says which layers do not fit, and that an empty stack is none", () => {
    expect(() => stacked([layerOf(2, 3), layerOf(3, 4), layerOf(5, 4)])).toThrow(
      "stacked: layer 2 takes 5 features, but layer 1 gives 4",
    );
    expect(() => stacked([])).toThrow(OptionError);
    expect(() => stacked([])).toThrow("stacked: needs at least one layer");
  });
});

/** A layer that shows its inputs and takes no parameters: dropout becomes visible. */
const shown: Cell<Record<string, Tensor>, Record<string, Tensor>> = {
  inputSize: 50,
  outputSize: 50,
  init: () => ({}),
  initialCarry: () => ({}),
  step: (_, carry, x) => [carry, x],
};

describe("dropout in a stack", () => {
  const layers = [recurrent(shown), recurrent(shown)];
  const rate = 0.25;
  const net = stacked(layers, { dropout: rate });
  const ones = add(numbers(1, [40, 10, 50]), 5); // never 0
  const run = (key?: Tensor) => net.apply([{}, {}], ones, key ? { key } : {}).outputs;

  test("is off without a key", () => {
    expectSame(run(), ones);
  });

  test("drops elements at the rate and scales the others by 1 / (1 - rate), with a key", () => {
    const outputs = run(randomKey(3));
    let dropped = 0;
    let total = 0;
    let totalBefore = 0;
    outputs.data.forEach((value, k) => {
      const before = ones.data[k]!;
      total += value;
      totalBefore += before;
      if (value === 0) dropped += 1;
      else expect(Math.abs(value - before / (1 - rate))).toBeLessThan(1e-12);
    });
    // 20000 draws: three standard errors.
    expect(Math.abs(dropped / outputs.data.length - rate)).toBeLessThan(3 * Math.sqrt((rate * (1 - rate)) / 20000));
    expect(Math.abs(total / totalBefore - 1)).toBeLessThan(3 * Math.sqrt(rate / (1 - rate) / 20000) * 1.01);
  });

  test("is the same for the same key, also compiled, and another for another key", () => {
    expectSame(run(randomKey(3)), run(randomKey(3)));
    expectSame(compile((key: Tensor) => run(key))(randomKey(3)), run(randomKey(3)));
    expect(largestError(run(randomKey(3)), run(randomKey(4))).error).toBeGreaterThan(0);
  });

  test("differs between layers and between steps", () => {
    const three = stacked([...layers, recurrent(shown)], { dropout: 0.5 });
    const once = stacked(layers, { dropout: 0.5 }).apply([{}, {}], ones, { key: randomKey(3) }).outputs;
    const twice = three.apply([{}, {}, {}], ones, { key: randomKey(3) }).outputs;
    const kept = (x: Tensor) => Array.from(x.data).filter((value) => value !== 0).length / x.data.length;
    expect(kept(once)).toBeCloseTo(0.5, 1);
    expect(kept(twice)).toBeCloseTo(0.25, 1);
    const [first, second] = toNested(once) as number[][][];
    expect(first).not.toEqual(second);
  });

  test("is refused with one layer, and outside [0, 1)", () => {
    expect(() => stacked([recurrent(shown)], { dropout: 0.5 })).toThrow(
      "stacked: dropout acts between layers and has no effect with one layer; remove it or add a layer",
    );
    for (const wrong of [1, -0.1, Number.NaN]) {
      expect(() => stacked(layers, { dropout: wrong })).toThrow(
        `stacked: dropout must be a number at least 0 and less than 1, but is ${wrong}`,
      );
    }
  });

  test("acts between layers only: the first layer sees all of its inputs", () => {
    const net = stacked(
      [recurrent(elman({ inputSize: 3, hiddenSize: 4 })), recurrent(elman({ inputSize: 4, hiddenSize: 2 }))],
      {
        dropout: 0.5,
      },
    );
    const params = net.init(randomKey(1));
    const xs = numbers(1, [5, 2, 3], "float32");
    const [with_, without] = [net.apply(params, xs, { key: randomKey(2) }), net.apply(params, xs)];
    expectSame(with_.carry[0]!, without.carry[0]!);
    expect(largestError(with_.carry[1]!, without.carry[1]!).error).toBeGreaterThan(0);
  });
});
