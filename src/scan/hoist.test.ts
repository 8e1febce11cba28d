import { describe, expect, test } from "vitest";
import { expectClose, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { layerNormLstm, peephole } from "../../test/user-cells.js";
import { printPlan } from "../compile/index.js";
import { type Cell, elman, gru, lstm, recurrent } from "../nn/index.js";
import { add, concatenate, matmul, multiply, sin, square, subtract, sum, tanh, zeros } from "../ops/index.js";
import { compile, type Kernels } from "../runtime/index.js";
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
  target: { panel: 16 },
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
        @704 float32[2,4] = product @448[t] @192 @0[t]
        @480[t] float32[2,4] = fused @704
      }
      loop 6 reverse {
        @704[t] float32[2,4] = fused @480[t] @0
        @0 float32[2,4] = product @704[t] @128
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
        @0 float32[2,4], @192[t] float32[2,16] = fused @128 @1536[t] @1728[t] @0 @1920[t] @2112[t] @1024[t] @2304[t]
        @128 float32[2,4] = product @192[t] @2496
      }"
    `);
  });

  test("of a GRU", () => {
    expect(loopsOfUpdate(gru(SIZES))).toMatchInlineSnapshot(`
      "loop 6 {
        @2176 float32[2,12] = product @960[t] @704 @576
        @1792[t] float32[2,4] = slice @2176
        @1216[t] float32[2,4], @1984[t] float32[2,4], @1408[t] float32[2,4], @1600[t] float32[2,4], @992[t] float32[2,4] = fused @0[t] @2176 @960[t]
      }
      loop 6 reverse {
        @896 float32[2,4], @2752[t] float32[2,12], @2176[t] float32[2,12] = fused @0 @960[t] @1216[t] @1408[t] @1600[t] @1792[t] @1984[t]
        @0 float32[2,4] = product @2752[t] @128 @896
      }"
    `);
  });

  test("of a user's peephole LSTM", () => {
    expect(loopsOfUpdate(peephole)).toMatchInlineSnapshot(`
      "loop 6 {
        @3328 float32[2,16] = product @1536[t] @1024 @0[t]
        @2944[t] float32[2,4], @2560[t] float32[2,4], @2368[t] float32[2,4], @1312[t] float32[2,4], @1984[t] float32[2,4], @1792[t] float32[2,4], @1568[t] float32[2,4] = fused @960 @1280[t] @3328 @832 @768
        @2176[t] float32[2,4] = @768
        @2752[t] float32[2,4] = @832
        @3136[t] float32[2,4] = @960
      }
      loop 6 reverse {
        @4480[t] float32[2,4], @4096[t] float32[2,4], @4288[t] float32[2,4], @0 float32[2,4], @3328[t] float32[2,16] = fused @1152 @1792[t] @1984[t] @0 @1312[t] @2176[t] @2368[t] @2560[t] @1280[t] @2752[t] @2944[t] @3136[t]
        @1152 float32[2,4] = product @3328[t] @128
      }"
    `);
  });

  test("of a user's layer-norm LSTM", () => {
    expect(loopsOfUpdate(layerNormLstm)).toMatchInlineSnapshot(`
      "loop 6 {
        @7360 float32[2,16] = product @3072[t] @2560
        @7488 float32[2] = sum @7360
        @7552 float32[2,1] = fused @7488
        @6592[t] float32[2,16], @7488 float32[2] = fused @7360 @7552
        @6464[t] float32[2,1] = fused @7488
        @4928[t] float32[2,16] = broadcast @6464[t]
        @5696[t] float32[2,16], @7360 float32[2,16] = fused @6592[t] @6464[t] @2432 @1664[t]
        @4736[t] float32[2,4], @4544[t] float32[2,4], @4352[t] float32[2,4], @2848[t] float32[2,4], @3520[t] float32[2,4], @7488 float32[2] = fused @7360 @2816[t]
        @7360 float32[2,1] = fused @7488
        @4160[t] float32[2,4], @7424 float32[2] = fused @2848[t] @7360
        @832[t] float32[2,1] = fused @7424
        @3712[t] float32[2,4] = broadcast @832[t]
        @3904[t] float32[2,4], @3328[t] float32[2,4], @3104[t] float32[2,4] = fused @4160[t] @832[t] @3520[t]
        @4096[t] float32[2,1] = constant2
        @6528[t] float32[2,1] = constant1
      }
      loop 6 reverse {
        @2624 float32[2,4], @2688 float32[2], @2752 float32[2,4], @10688 float32[2,4], @10752 float32[2,4], @10816 float32[2,4], @10880 float32[2,4] = fused @2560 @3328[t] @3520[t] @3712[t] @3904[t] @4160[t] @4352[t] @4544[t] @4736[t]
        @10944 float32[2,1], @11008 float32[2,1], @11072 float32[2,1], @11136 float32[2,1], @11200 float32[2,1], @11264 float32[2,1], @11328 float32[2,1], @11392 float32[2,1] = fused @832[t] @2688 @4096[t] @4096[t] @6464[t] @6528[t] @6528[t] @0[t] @6528[t] @6528[t]
        @2688 float32[2,4], @11456 float32[2] = fused @10944 @2752 @2624 @2432
        @2624 float32[2,1] = fused @11456 @11008
        @2432 float32[2,4], @9920[t] float32[2,16] = fused @2688 @2624 @4352[t] @4544[t] @10752 @10816 @2816[t] @4736[t] @10880 @10688
        @2624 float32[2,16], @2752 float32[2], @10688 float32[2,16], @10816 float32[2,16], @10944 float32[2], @11456 float32[2,16] = fused @4928[t] @9920[t] @5696[t] @6592[t] @64[t] @1664[t] @896[t]
        @11008 float32[2,1], @11584 float32[2,1] = fused @2752 @11072 @11136 @10944 @11264 @11328
        @11072 float32[2,16], @2752 float32[2], @11264 float32[2,16], @10944 float32[2] = fused @11008 @10688 @2624 @11584 @11456 @10816
        @2624 float32[2,1], @2688 float32[2,1] = fused @2752 @11200 @10944 @11392
        @9152[t] float32[2,16], @8384[t] float32[2,16] = fused @11072 @2624 @11264 @2688
        @2560 float32[2,4] = product @9152[t] @7360
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
