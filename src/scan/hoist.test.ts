import { describe, expect, test } from "vitest";
import { expectClose, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { layerNormLstm, peephole } from "../../test/user-cells.js";
import { printPlan } from "../compile/index.js";
import { type Cell, elman, gru, lstm, recurrent } from "../nn/index.js";
import { add, concatenate, matmul, multiply, sin, square, subtract, sum, tanh, zeros } from "../ops/index.js";
import { compile, type Kernels, referenceKernels } from "../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../tensor/index.js";
import { grad, valueAndGrad } from "../transforms/index.js";
import { scan } from "./index.js";

const SIZES = { inputSize: 3, hiddenSize: 4 };
const [TIME, BATCH] = [6, 2];

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

/** Kernels that run nothing: their Plans are to be looked at. */
const PANELS_OF_16: Kernels = {
  name: "panels of 16",
  target: { panel: 16, width: 8 },
  supports: () => true,
  prepare: () => ({ run() {} }),
};

/** The loops of an update: a loss of the last state, its gradient, and a step of gradient descent into the memory of the parameters. */
function loopsOfUpdate<Params extends TensorTree, Carry extends { readonly h: Tensor }>(
  cell: Cell<Params, Carry>,
): string {
  const layer = recurrent(cell);
  const update = (params: Params, xs: Tensor) => {
    const loss = (point: Params) => sum(square(layer.apply(point, xs).carry.h));
    const { value, gradient } = valueAndGrad(loss)(params);
    return [mapTensors((p, g) => subtract(p, multiply(g, 0.1)), params, gradient), value] as const;
  };
  const compiled = compile(update as (params: Params, xs: Tensor) => [Params, Tensor], {
    kernels: PANELS_OF_16,
    donate: [0],
  });
  const plan = printPlan(compiled.plan(layer.init(numbersKey()), zeros([TIME, BATCH, 3])));
  return (plan.match(/^loop[\s\S]*?^}/gm) ?? []).join("\n");
}

describe("the loops of an update, for kernels with fused arithmetic and packed matrices,", () => {
  test("of Elman's network: one product and one group each", () => {
    expect(loopsOfUpdate(elman(SIZES))).toMatchInlineSnapshot(`
      "loop 6 {
        @352[t] float32[2,4] = product @320[t] @192 @0[t]
        @352[t] float32[2,4] = fused @352[t]
      }
      loop 6 reverse {
        @576[t] float32[2,4] = fused @352[t] @0
        @0 float32[2,4] = product @576[t] @128
      }"
    `);
  });

  test("of an LSTM: one product and one group each", () => {
    expect(loopsOfUpdate(lstm(SIZES))).toMatchInlineSnapshot(`
      "loop 6 {
        @2496 float32[2,16] = product @1280[t] @768 @0[t]
        @2304[t] float32[2,4], @2112[t] float32[2,4], @1920[t] float32[2,4], @1056[t] float32[2,4], @1728[t] float32[2,4], @1536[t] float32[2,4], @1312[t] float32[2,4] = fused @2496 @1024[t]
      }
      loop 6 reverse {
        @2496 float32[2,4], @2624[t] float32[2,16] = fused @512 @1536[t] @1728[t] @2496 @1920[t] @2112[t] @1024[t] @2304[t]
        @512 float32[2,4] = product @2624[t] @0
      }"
    `);
  });

  test("of a GRU", () => {
    expect(loopsOfUpdate(gru(SIZES))).toMatchInlineSnapshot(`
      "loop 6 {
        @2048 float32[2,12] = product @832[t] @576 input0
        @1088[t] float32[2,4], @1856[t] float32[2,4], @1280[t] float32[2,4], @1472[t] float32[2,4], @864[t] float32[2,4], @1664[t] float32[2,4] = fused @0[t] @2048 @832[t]
      }
      loop 6 reverse {
        @384 float32[2,4], @2752[t] float32[2,12], @2176[t] float32[2,12] = fused @2048 @832[t] @1088[t] @1280[t] @1472[t] @1664[t] @1856[t]
        @2048 float32[2,4] = product @2752[t] @0 @384
      }"
    `);
  });

  test("of a user's peephole LSTM", () => {
    expect(loopsOfUpdate(peephole)).toMatchInlineSnapshot(`
      "loop 6 {
        @2688 float32[2,16] = product @1472[t] @960 @192[t]
        @2496[t] float32[2,4], @2304[t] float32[2,4], @2112[t] float32[2,4], @1248[t] float32[2,4], @1920[t] float32[2,4], @1728[t] float32[2,4], @1504[t] float32[2,4] = fused @128 @1216[t] @2688 @64 @0
      }
      loop 6 reverse {
        @768[t] float32[2,4], @1728[t] float32[2,4], @1920[t] float32[2,4], @2688 float32[2,4], @2816[t] float32[2,16] = fused @704 @1728[t] @1920[t] @2688 @1248[t] @0 @2112[t] @2304[t] @1216[t] @64 @2496[t] @128
        @704 float32[2,4] = product @2816[t] @192
      }"
    `);
  });

  test("of a user's layer-norm LSTM", () => {
    expect(loopsOfUpdate(layerNormLstm)).toMatchInlineSnapshot(`
      "loop 6 {
        @4608[t] float32[2,16] = product @2176[t] @1664
        @5376 float32[2] = sum @4608[t]
        @5440 float32[2,1] = fused @5376
        @4608[t] float32[2,16], @5376 float32[2] = fused @4608[t] @5440
        @3776[t] float32[2,1] = fused @5376
        @5376 float32[2] = fused @3776[t]
        @3840[t] float32[2,16], @5440 float32[2,16] = fused @4608[t] @5376 input0 @64[t]
        @3584[t] float32[2,4], @3392[t] float32[2,4], @3200[t] float32[2,4], @1952[t] float32[2,4], @2624[t] float32[2,4], @5376 float32[2] = fused @5440 @1920[t]
        @5440 float32[2,1] = fused @5376
        @3008[t] float32[2,4], @5376 float32[2] = fused @1952[t] @5440
        @0[t] float32[2,1] = fused @5376
        @5376 float32[2] = fused @0[t]
        @2816[t] float32[2,4], @2432[t] float32[2,4], @2208[t] float32[2,4] = fused @3008[t] @5376 @2624[t]
      }
      loop 6 reverse {
        @1728 float32[2,4], @1792 float32[2], @1856 float32[2,4] = fused @1664 @2432[t] @2624[t] @2816[t] @0[t]
        @7552 float32[2], @7616 float32[2], @7680 float32[2] = fused @0[t] @3776[t] @832[t]
        @7744 float32[2,1] = fused @0[t] @1792
        @1792 float32[2,4], @7808 float32[2] = fused @3008[t] @7744 @1728 @7552 @5376
        @1728 float32[2,1] = fused @7808
        @5376 float32[2,4], @6784[t] float32[2,16] = fused @1792 @1728 @3200[t] @3392[t] @1920[t] @3584[t] @1856
        @7552 float32[2], @7744 float32[2] = fused @3840[t] @3776[t] @6784[t] @64[t] @832[t]
        @7808 float32[2,1], @1728 float32[2,1] = fused @3776[t] @7552 @832[t] @7744
        @4608[t] float32[2,16], @7552 float32[2], @1792 float32[2,16], @7744 float32[2] = fused @4608[t] @7808 @6784[t] @7616 @896[t] @1728 @7680
        @1728 float32[2,1], @7808 float32[2,1] = fused @7552 @7744
        @6016[t] float32[2,16], @4608[t] float32[2,16] = fused @4608[t] @1728 @1792 @7808
        @1664 float32[2,4] = product @6016[t] @5504
      }"
    `);
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

  test.each([
    [15, 4, 1],
    [16, 4, 2],
    [16, 512, 1],
    [31, 512, 1],
    [32, 512, 2],
    [32, 1025, 1],
  ])(
    "a product of %d rows with a matrix of %d rows leaves %d in the loop: many rows are as fast there",
    (rows, terms, products) => {
      const f = (seq: Tensor, first: Tensor, second: Tensor) =>
        scan(
          (h: Tensor, x: Tensor) => [tanh(add(matmul(x, first), matmul(h, second))), []],
          zeros([rows, 1024], "float32"),
          seq,
        )[0];
      const compiled = compile(f, { kernels: referenceKernels });
      const plan = compiled.plan(zeros([2, rows, terms]), zeros([terms, 1024]), zeros([1024, 1024]));
      expect(countOf(loopsOf(printPlan(plan))[0] as string[], "matmul")).toBe(products);
    },
  );

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

  test("one result under several names is kept once", () => {
    const f = (seq: Tensor) =>
      scan((h: Tensor, x: Tensor) => [tanh(add(h, x)), [sin(h), h, sin(h)]], zeros([BATCH, 3], "float64"), seq);
    const double = (seq: Tensor) => {
      const [last, [a, , b]] = f(seq) as [Tensor, [Tensor, Tensor, Tensor]];
      return [last, add(a, b)];
    };
    expect(printPlan(compile(double).plan(xs)).match(/= sin/g)?.length).toBe(1);
    expect(loopsOf(printPlan(compile(double).plan(xs)))).toEqual([["add", "tanh", "sin"]]);
    expect(printPlan(compile(double).plan(xs))).not.toMatch(/\[t\] .* = @\d+\[t\]$/m);
    expect(compile(f)(xs)).toEqual(f(xs));
    expect(compile(double)(xs)).toEqual(double(xs));
  });

  test("a sum of joined gradients is taken apart, so that each is added up after the loop", () => {
    const f = (seq: Tensor) =>
      scan(
        (total: readonly [Tensor, Tensor], x: Tensor): [[Tensor, Tensor], Tensor] => {
          const h = tanh(add(total[1], x));
          const rows = [sum(h, { axes: 0 }), sum(multiply(h, x), { axes: 0 })];
          return [[add(total[0], concatenate(rows, 0)), h], h];
        },
        [zeros([6], "float64"), zeros([BATCH, 3], "float64")],
        seq,
      )[0];
    expect(loopsOf(printPlan(compile(f).plan(xs)))).toEqual([["add", "tanh", "multiply"]]);
    expectClose(compile(f)(xs), f(xs), TOLERANCES.float64);
  });

  test("a loop of no steps stays as it is", () => {
    const none = numbers(6, [0, BATCH, 3]);
    const f = (seq: Tensor) =>
      scan((total: Tensor, x: Tensor) => [add(total, x), matmul(x, w)], zeros([BATCH, 3], "float64"), seq);
    expect(compile(f)(none)).toEqual(f(none));
  });
});
