/** What is left of loops when only some results are read: Programs and Plans, as text. */

import { describe, expect, test } from "vitest";
import { numbers } from "../../test/close.js";
import { printPlan } from "../compile/index.js";
import { elman, recurrent } from "../nn/index.js";
import { add, multiply, sum, tanh } from "../ops/index.js";
import { printProgram, pruneProgram } from "../program/index.js";
import { compile } from "../runtime/index.js";
import type { Tensor } from "../tensor/index.js";
import { grad, traceTree } from "../transforms/index.js";
import { scan } from "./index.js";

const layer = recurrent(elman({ inputSize: 2, hiddenSize: 1 }));
type Params = ReturnType<typeof layer.init>;
const params: Params = { weightIh: numbers(1, [1, 2]), weightHh: numbers(2, [1, 1]), bias: numbers(3, [1]) };
const loss = (p: Params, xs: Tensor): Tensor => sum(layer.apply(p, xs).outputs);
const ofParams = (p: Params, xs: Tensor) => grad(loss)(p, xs);
const ofBoth = (p: Params, xs: Tensor) =>
  grad((both: { readonly p: Params; readonly xs: Tensor }) => loss(both.p, both.xs))({ p, xs });
const xs = numbers(4, [5, 3, 2]);

/** Lines of the Plan inside its loops, in order. */
const loopsOf = (plan: string): string[] => plan.split("\n").filter((line) => line.startsWith("  "));

describe("the gradient of a scan for parameters alone", () => {
  test("holds no computation of the gradient of the inputs", () => {
    const [alone, both] = [compile(ofParams), compile(ofBoth)].map((f) => printPlan(f.plan(params, xs)));
    // float64[15,2] are all steps of xs: the gradient for them is the only product of that type, behind the loops.
    const ofInputs = (plan: string) => plan.split("\n").filter((line) => /float64\[15,2\] = matmul/.test(line));
    expect(ofInputs(alone!)).toEqual([]);
    expect(ofInputs(both!).length).toBe(1);
    expect(loopsOf(both!).length).toBe(loopsOf(alone!).length);
  });

  test("is one loop forward and one loop backward", () => {
    const { program } = traceTree(ofParams, [params, xs]);
    expect(printProgram(pruneProgram(program))).toMatchInlineSnapshot(`
      "(a: float64[1], b: float64[1,1], c: float64[1,2], d: float64[5,3,2]) {
        e: float64[3,1] = fill[value=0 dtype=float64 shape=[3,1]]
        f: float64[3,1], g: float64[5,3,1], h: float64[5,3,1] = scan[length=5 carries=1 slices=1 body=(a: float64[3,1], b: float64[3,2], c: float64[1,2], d: float64[1], e: float64[1,1]) {
          f: float64[3,1] = matmul[transposeA=false transposeB=true] b c
          g: float64[3,1] = broadcast[axes=[1] shape=[3,1]] d
          h: float64[3,1] = add f g
          i: float64[3,1] = matmul[transposeA=false transposeB=true] a e
          j: float64[3,1] = add h i
          k: float64[3,1] = tanh j
          return k k a
        }] e d c a b
        i: float64[] = fill[value=1 dtype=float64 shape=[]]
        j: float64[5,3,1] = broadcast[shape=[5,3,1] axes=[]] i
        k: float64[3,1] = fill[value=0 dtype=float64 shape=[3,1]]
        l: float64[1,2] = fill[value=0 dtype=float64 shape=[1,2]]
        m: float64[1] = fill[value=0 dtype=float64 shape=[1]]
        n: float64[1,1] = fill[value=0 dtype=float64 shape=[1,1]]
        o: float64[3,1], p: float64[1,2], q: float64[1], r: float64[1,1] = scan[length=5 reverse carries=4 slices=4 body=(a: float64[3,1], b: float64[1,2], c: float64[1], d: float64[1,1], e: float64[3,1], f: float64[3,1], g: float64[3,1], h: float64[3,2], i: float64[1,1]) {
          j: float64[3,1] = add a e
          k: float64[3,1] = square f
          l: float64[3,1] = fill[value=1 dtype=float64 shape=[3,1]]
          m: float64[3,1] = subtract l k
          n: float64[3,1] = multiply j m
          o: float64[3,1] = matmul[transposeA=false transposeB=false] n i
          p: float64[1,1] = matmul[transposeA=true transposeB=false] n g
          q: float64[1] = sum[axes=[0]] n
          r: float64[1,2] = matmul[transposeA=true transposeB=false] n h
          s: float64[1,2] = add b r
          t: float64[1] = add c q
          u: float64[1,1] = add d p
          return o s t u
        }] k l m n j g h d b
        return q r p
      }"
    `);
  });

  test("is planned as that", () => {
    expect(printPlan(compile(ofParams).plan(params, xs))).toMatchInlineSnapshot(`
      "arena 576 bytes
      @0 float64[15,1] = matmul input3 input2
      @128 float64[3,1] = broadcast input0
      @192 float64[5,3,1] = broadcast @128
      @320 float64[5,3,1] = add @0 @192
      @0 float64[3,1] = constant0
      loop 5 {
        @192 float64[3,1] = matmul @0[t] input1
        @256 float64[3,1] = add @320[t] @192
        @24[t] float64[3,1] = tanh @256
      }
      @192 float64[3,1] = constant0
      loop 5 reverse {
        @384 float64[3,1] = add @192 constant1[t]
        @448 float64[3,1] = square @24[t]
        @512 float64[3,1] = subtract constant2 @448
        @256[t] float64[3,1] = multiply @384 @512
        @192 float64[3,1] = matmul @256[t] input1
      }
      output2 float64[1,2] = matmul @256 input3
      output0 float64[1] = sum @256
      output1 float64[1,1] = matmul @256 @0"
    `);
  });
});

describe("a scan whose results are not all read", () => {
  const run = (w: Tensor, seq: Tensor) =>
    scan(
      ({ a, b, unused }, x: Tensor) => {
        const next = tanh(add(a, x));
        return [
          { a: next, b: add(b, next), unused: multiply(unused, w) },
          { big: multiply(next, w), small: next },
        ];
      },
      { a: w, b: w, unused: w },
      seq,
    );
  const planOf = (f: (w: Tensor, seq: Tensor) => Tensor): string =>
    printPlan(compile(f).plan(numbers(1, [2]), numbers(2, [5, 2])));
  const operations = (plan: string): string[] =>
    loopsOf(plan).flatMap(
      (line) =>
        / = (\w+) .*/
          .exec(line)
          ?.slice(1, 2)
          .filter((name) => !name.startsWith("input")) ?? [],
    );

  test("computes in its loop what is read, and what that needs of earlier steps", () => {
    expect(operations(planOf((w, seq) => run(w, seq)[1].small))).toEqual(["add", "tanh"]);
    expect(operations(planOf((w, seq) => run(w, seq)[0].b))).toEqual(["add", "tanh"]); // b is a sum over time
    expect(operations(planOf((w, seq) => run(w, seq)[0].unused))).toEqual(["multiply"]);
    expect(operations(planOf((w, seq) => run(w, seq)[1].big))).toEqual(["add", "tanh", "multiply"]);
  });

  test("is left alone once it was pruned, until less of it is read", () => {
    const both = ({ big, small }: { big: Tensor; small: Tensor }) => [big, small];
    const { program } = traceTree(
      (w: Tensor, seq: Tensor) => both(run(w, seq)[1]),
      [numbers(1, [2]), numbers(2, [5, 2])],
    );
    const pruned = pruneProgram(program);
    const [loop] = pruned.equations;
    expect(pruneProgram(pruned).equations[0]?.params).toBe(loop?.params);
    const [ofBig, ofSmall] = pruned.outputs.map((output) => printProgram(pruneProgram(pruned, [output])));
    expect(printProgram(pruned)).toMatch(/multiply e c\n *return e f e\n/);
    expect(ofBig).toMatch(/multiply e c\n *return e f\n/);
    expect(ofSmall).toMatch(/tanh c\n *return d d\n/);
  });

  test("is gone when nothing of it is read", () => {
    expect(
      planOf((w, seq) => {
        run(w, seq);
        return tanh(w);
      }),
    ).not.toContain("loop");
  });
});
