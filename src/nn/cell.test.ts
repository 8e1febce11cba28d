/** The cell of the documentation is a cell like the toolkit's own. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, largestError, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { add, at, multiply, normal, randomKey, slice, subtract, tanh, zeros } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import type { Tensor } from "../tensor/index.js";
import { checkGradients } from "../transforms/index.js";
import { bidirectional, type Cell, glorotUniform, linear, lstm, orthogonal, recurrent, stacked } from "./index.js";

// As in cell.ts.
const leakyFor = (inputSize: number): Cell<{ weightIh: Tensor; weightHh: Tensor }, Tensor> => ({
  inputSize,
  outputSize: 8,
  init: (key) => ({ weightIh: glorotUniform(key, [8, inputSize]), weightHh: orthogonal(key, [8, 8]) }),
  initialCarry: (batchSize, dtype) => zeros([batchSize, 8], dtype),
  step: ({ weightIh, weightHh }, h, x) => {
    const proposal = tanh(add(linear(x, weightIh), linear(h, weightHh)));
    const next = add(multiply(h, 0.9), multiply(proposal, 0.1));
    return [next, next];
  },
});
const leaky = leakyFor(3);

describe("a cell of a user (the example of the documentation)", () => {
  test("runs over time, in both directions, and as a layer of a stack", () => {
    const layer = stacked([bidirectional(leaky), bidirectional(leakyFor(16))]);
    expect([layer.inputSize, layer.outputSize]).toEqual([3, 16]);
    const { outputs } = layer.apply(layer.init(randomKey(1)), numbers(1, [5, 2, 3], "float32"));
    expect(outputs.shape).toEqual([5, 2, 16]);
  });

  test("has checked gradients, masks and lengths without a line of its own", () => {
    const params = { weightIh: numbers(1, [8, 3]), weightHh: numbers(2, [8, 8]) };
    const layer = recurrent(leaky);
    const xs = numbers(3, [3, 2, 3]);
    const options = { sequenceLengths: int32([3, 1]) };
    checkGradients((p, x) => layer.apply(p, x, options).outputs, [params, xs]);
    const alone = layer.apply(params, slice(slice(xs, 1, 1, 2), 0, 0, 1));
    const { carry } = layer.apply(params, xs, options);
    expectClose(slice(carry, 0, 1, 2), alone.carry, TOLERANCES.float64);
  });
});

test("the examples of recurrent and stacked run", () => {
  const layer = recurrent(lstm({ inputSize: 8, hiddenSize: 32 }));
  const xs = numbers(1, [4, 2, 8], "float32");
  const { outputs, carry } = layer.apply(layer.init(randomKey(0)), xs);
  expectSame(at(outputs, -1), carry.h);
  const deep = stacked([
    recurrent(lstm({ inputSize: 8, hiddenSize: 32 })),
    recurrent(lstm({ inputSize: 32, hiddenSize: 32 })),
  ]);
  expect(deep.apply(deep.init(randomKey(0)), xs).outputs.shape).toEqual([4, 2, 32]);
});

/** A cell that adds noise to its input. */
const noisy: Cell<Record<string, Tensor>, Record<string, Tensor>> = {
  inputSize: 2,
  outputSize: 2,
  usesKey: true,
  init: () => ({}),
  initialCarry: () => ({}),
  step: (_params, carry, x, key) => [carry, key ? add(x, normal(key, x.shape, "float64")) : x],
};

describe("a cell that uses a key", () => {
  const xs = numbers(1, [4, 3, 2]);

  test("gets another one at each step, and none without the layer's", () => {
    const layer = recurrent(noisy);
    expectSame(layer.apply({}, xs).outputs, xs);
    const noise = subtract(layer.apply({}, xs, { key: randomKey(1) }).outputs, xs);
    expect(new Set(noise.data).size).toBe(24);
    expectSame(subtract(layer.apply({}, xs, { key: randomKey(1) }).outputs, xs), noise);
    expect(largestError(subtract(layer.apply({}, xs, { key: randomKey(2) }).outputs, xs), noise).error).toBeGreaterThan(
      0,
    );
  });

  test("draws by the number of the step, in either direction and compiled", () => {
    const run = (key: Tensor) => recurrent(noisy).apply({}, xs, { key }).outputs;
    const backward = recurrent(noisy, { reverse: true }).apply({}, xs, { key: randomKey(1) });
    expectSame(backward.outputs, run(randomKey(1)));
    expectClose(compile(run)(randomKey(1)), run(randomKey(1)), TOLERANCES.float64);
  });

  test("is handed none if it does not say so", () => {
    const { usesKey: _, ...silent } = noisy;
    expectSame(recurrent(silent).apply({}, xs, { key: randomKey(1) }).outputs, xs);
  });
});
