/** Residual and highway layers: their equations, padding, and how they begin. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError } from "../../core/index.js";
import { add, at, multiply, randomKey, select, slice, zeros } from "../../ops/index.js";
import { checkGradients } from "../../transforms/index.js";
import { bidirectional, elman, gru, highway, lstm, recurrent, residual, stacked } from "../index.js";

const inner = recurrent(gru({ inputSize: 3, hiddenSize: 3 }));
const xs = numbers(1, [5, 2, 3]);
const sigma = (x: number): number => 1 / (1 + Math.exp(-x));

describe("residual", () => {
  const layer = residual(inner);
  const params = inner.init(randomKey(1), "float64");

  test("adds the layer's outputs to its inputs, and hands its carry on", () => {
    const own = inner.apply(params, xs);
    expectSame(layer.apply(params, xs), { ...own, outputs: add(xs, own.outputs) });
    expectSame(layer.init(randomKey(4)), inner.init(randomKey(4)));
    expectSame(layer.initialCarry(2), inner.initialCarry(2));
  });

  test("is 0 at padded steps, whatever stands there", () => {
    const mask = int32([1, 1, 0, 1, 1, 1, 1, 0, 0, 0], [5, 2]);
    const real = int32(
      Array.from(mask.data).flatMap((one) => [one, one, one]),
      [5, 2, 3],
    );
    const { outputs } = layer.apply(params, select(real, xs, Number.NaN), { mask });
    expectSame(outputs, select(real, add(xs, inner.apply(params, xs, { mask }).outputs), 0));
  });

  test("is a layer of a stack, and passes the key on", () => {
    const noisy = recurrent(gru({ inputSize: 3, hiddenSize: 3 }), { dropout: { output: 0.5 } });
    const options = { key: randomKey(3) };
    expectSame(residual(noisy).apply(params, xs, options).outputs, add(xs, noisy.apply(params, xs, options).outputs));
    const deep = stacked([layer, layer, layer]);
    const all = deep.init(randomKey(1), "float64");
    let outputs = xs;
    for (const own of all) outputs = add(outputs, inner.apply(own, outputs).outputs);
    expectSame(deep.apply(all, xs).outputs, outputs);
  });

  test("around two directions adds each half at its own last step", () => {
    const both = bidirectional(elman({ inputSize: 4, hiddenSize: 2 }));
    const own = both.init(randomKey(1), "float64");
    const x = numbers(2, [5, 1, 4]);
    const { outputs } = residual(both).apply(own, x, { return: "last" });
    const all = residual(both).apply(own, x).outputs;
    expectSame(slice(outputs, 1, 0, 2), slice(at(all, -1), 1, 0, 2));
    expectSame(slice(outputs, 1, 2), slice(at(all, 0), 1, 2));
  });

  test("needs as many features out as in", () => {
    const uneven = recurrent(lstm({ inputSize: 3, hiddenSize: 4 }));
    expect(() => residual(uneven)).toThrow(OptionError);
    expect(() => residual(uneven)).toThrow(
      "residual: the layer takes 3 features and gives 4; both must be equal to join them",
    );
    expect(() => highway(uneven)).toThrow("highway: the layer takes 3 features and gives 4");
  });
});

describe("highway", () => {
  const layer = highway(inner);
  const params = layer.init(randomKey(1), "float64");

  test("mixes inputs and outputs by its gate, as its equation says", () => {
    const { outputs, carry } = layer.apply(params, xs);
    const own = inner.apply(params.layer, xs);
    const { weight, bias } = params.gate;
    for (let t = 0; t < 5; t++) {
      for (let b = 0; b < 2; b++) {
        for (let k = 0; k < 3; k++) {
          const x = (j: number): number => xs.data[(t * 2 + b) * 3 + j]!;
          const sum = [0, 1, 2].reduce((total, j) => total + weight.data[k * 3 + j]! * x(j), bias.data[k]!);
          const g = sigma(sum);
          const expected = g * own.outputs.data[(t * 2 + b) * 3 + k]! + (1 - g) * x(k);
          expect(Math.abs(outputs.data[(t * 2 + b) * 3 + k]! - expected)).toBeLessThan(TOLERANCES.float64);
        }
      }
    }
    expectSame(carry, own.carry);
  });

  test("starts with a gate bias of -1, or the one that is asked for", () => {
    expectSame(params.gate.bias, add(zeros([3], "float64"), -1));
    expectSame(highway(inner, { gateBias: -3 }).init(randomKey(1)).gate.bias, add(zeros([3]), -3));
    expect(() => highway(inner, { gateBias: Number.NaN })).toThrow("highway: gateBias must be a finite number");
  });

  test("passes its inputs with a closed gate, and its layer's outputs with an open one", () => {
    const gated = (bias: number) =>
      layer.apply({ ...params, gate: { ...params.gate, bias: add(zeros([3], "float64"), bias) } }, xs).outputs;
    expectClose(gated(-60), xs, TOLERANCES.float64);
    expectClose(gated(60), inner.apply(params.layer, xs).outputs, TOLERANCES.float64);
  });

  test("has gradients that agree with differences", () => {
    const { maxError } = checkGradients((p, x) => multiply(layer.apply(p, x).outputs, 1), [params, slice(xs, 0, 0, 3)]);
    expect(maxError).toBeLessThan(TOLERANCES.gradient);
  });
});
