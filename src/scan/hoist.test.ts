import { describe, expect, test } from "vitest";
import { numbers } from "../../test/close.js";
import { printPlan } from "../compile/index.js";
import { type Cell, elman, glorotUniform, gru, linear, lstm, orthogonal, recurrent } from "../nn/index.js";
import {
  add,
  divide,
  matmul,
  mean,
  multiply,
  ones,
  sigmoid,
  split,
  sqrt,
  square,
  subtract,
  sum,
  tanh,
  zeros,
} from "../ops/index.js";
import { compile } from "../runtime/index.js";
import type { Tensor, TensorTree } from "../tensor/index.js";
import { grad } from "../transforms/index.js";
import { scan } from "./index.js";

const SIZES = { inputSize: 3, hiddenSize: 4 };
const [TIME, BATCH] = [6, 2];

type GateParams = { readonly w: Tensor; readonly u: Tensor; readonly b: Tensor; readonly p: Tensor };
type State = { readonly h: Tensor; readonly c: Tensor };

/** LSTM-like cells as a user would write them. */
const userCell = (step: Cell<GateParams, State>["step"]): Cell<GateParams, State> => ({
  inputSize: 3,
  outputSize: 4,
  init: (key, dtype) => ({
    w: glorotUniform(key, [16, 3], dtype),
    u: orthogonal(key, [16, 4], dtype),
    b: zeros([16], dtype),
    p: ones([12], dtype),
  }),
  initialCarry: (batchSize, dtype) => ({ h: zeros([batchSize, 4], dtype), c: zeros([batchSize, 4], dtype) }),
  step,
});

const peephole = userCell(({ w, u, b, p }, { h, c }, x) => {
  const [i, f, g, o] = split(add(linear(x, w, b), linear(h, u)), 4) as [Tensor, Tensor, Tensor, Tensor];
  const [pi, pf, po] = split(p, 3) as [Tensor, Tensor, Tensor];
  const next = add(multiply(sigmoid(add(f, multiply(pf, c))), c), multiply(sigmoid(add(i, multiply(pi, c))), tanh(g)));
  const y = multiply(sigmoid(add(o, multiply(po, next))), tanh(next));
  return [{ h: y, c: next }, y];
});

const normalize = (x: Tensor): Tensor => {
  const centred = subtract(x, mean(x, { axes: -1, keepAxes: true }));
  return divide(centred, sqrt(add(mean(square(centred), { axes: -1, keepAxes: true }), 1e-5)));
};

const layerNormLstm = userCell(({ w, u, b }, { h, c }, x) => {
  const gates = add(normalize(linear(x, w)), add(normalize(linear(h, u)), b));
  const [i, f, g, o] = split(gates, 4) as [Tensor, Tensor, Tensor, Tensor];
  const next = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)));
  const y = multiply(sigmoid(o), tanh(normalize(next)));
  return [{ h: y, c: next }, y];
});

/** Operations inside each loop of a Plan, without copies. */
function loopsOf(plan: string): string[][] {
  const loops: string[][] = [];
  for (const line of plan.split("\n")) {
    if (line.startsWith("loop")) loops.push([]);
    const name = /^ {2}.* = ([a-z]\w*) .*@|^ {2}.* = ([a-z]\w*) .*(input|constant)/i.exec(line);
    const operation = name?.[1] ?? name?.[2];
    if (line.startsWith("  ") && operation !== undefined) loops.at(-1)?.push(operation);
  }
  return loops;
}

const countOf = (operations: readonly string[], name: string): number =>
  operations.filter((one) => one === name).length;

const planOfGradient = <Params extends TensorTree, Carry extends TensorTree>(cell: Cell<Params, Carry>): string => {
  const layer = recurrent(cell);
  const loss = (params: Params, xs: Tensor) => sum(square(layer.apply(params, xs).outputs));
  const params = layer.init(numbersKey(), "float64");
  return printPlan(compile((p: Params, xs: Tensor) => grad(loss)(p, xs)).plan(params, numbers(1, [TIME, BATCH, 3])));
};

const numbersKey = () => zeros([2], "int32");

describe("the loops of a training step", () => {
  test.each([
    ["elman", elman(SIZES) as unknown as Cell<TensorTree, TensorTree>],
    ["lstm", lstm(SIZES) as unknown as Cell<TensorTree, TensorTree>],
    ["gru", gru(SIZES) as unknown as Cell<TensorTree, TensorTree>],
    ["a user's peephole LSTM", peephole as unknown as Cell<TensorTree, TensorTree>],
    ["a user's layer-norm LSTM", layerNormLstm as unknown as Cell<TensorTree, TensorTree>],
  ])("of %s hold one matrix product forward and one backward, and no sum of gradients", (_, cell) => {
    const [forward, backward, ...others] = loopsOf(planOfGradient(cell)) as [string[], string[]];
    expect(others).toEqual([]);
    expect(countOf(forward, "matmul")).toBe(1);
    expect(countOf(backward, "matmul")).toBe(1);
  });

  test("of Elman's network are just its recurrence", () => {
    const [forward, backward] = loopsOf(planOfGradient(elman(SIZES)));
    expect(forward).toEqual(["matmul", "add", "tanh"]);
    expect(backward).toEqual(["add", "square", "subtract", "multiply", "matmul"]);
  });
});

describe("what leaves a loop", () => {
  const w = numbers(1, [3, 4]);
  const u = numbers(2, [4, 4]);
  const xs = numbers(3, [TIME, BATCH, 3]);
  const start = zeros([BATCH, 4], "float64");

  test("a readout of each step, which no later step needs, is one product behind it", () => {
    const f = (seq: Tensor) =>
      scan(
        (h: Tensor, x: Tensor) => {
          const next = tanh(add(matmul(x, w), matmul(h, u)));
          return [next, tanh(matmul(next, u))];
        },
        start,
        seq,
      )[1];
    expect(loopsOf(printPlan(compile(f).plan(xs)))).toEqual([["matmul", "add", "tanh"]]);
    expect(compile(f)(xs)).toEqual(f(xs));
  });

  test("what every step computes alike is computed once", () => {
    const f = (a: Tensor) =>
      scan(
        (h: Tensor, x: Tensor) => [tanh(add(h, multiply(x, matmul(a, tanh(u))))), []],
        start,
        numbers(4, [TIME, BATCH, 4]),
      )[0];
    const a = numbers(5, [BATCH, 4]);
    expect(loopsOf(printPlan(compile(f).plan(a)))).toEqual([["multiply", "add", "tanh"]]);
    expect(compile(f)(a)).toEqual(f(a));
  });

  test("a loop that nothing is left of is gone", () => {
    const f = (seq: Tensor) =>
      scan((total: Tensor, x: Tensor) => [add(total, x), matmul(x, w)], zeros([BATCH, 3], "float64"), seq);
    expect(printPlan(compile(f).plan(xs))).not.toContain("loop");
    const [[total, products], [expectedTotal, expectedProducts]] = [compile(f)(xs), f(xs)];
    expect(products).toEqual(expectedProducts);
    total.data.forEach((value, k) => {
      expect(value).toBeCloseTo(expectedTotal.data[k] as number, 12);
    });
  });

  test("a loop of no steps stays as it is", () => {
    const none = numbers(6, [0, BATCH, 3]);
    const f = (seq: Tensor) =>
      scan((total: Tensor, x: Tensor) => [add(total, x), matmul(x, w)], zeros([BATCH, 3], "float64"), seq);
    expect(compile(f)(none)).toEqual(f(none));
  });
});
