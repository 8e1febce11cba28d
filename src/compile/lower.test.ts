/** Plans: what is computed where. */

import { describe, expect, test } from "vitest";
import { expectSame, numbers } from "../../test/close.js";
import { float64, spread } from "../../test/scalar-loops.js";
import * as ops from "../ops/index.js";
import { compile, type Kernels, referenceKernels } from "../runtime/index.js";
import { scan } from "../scan/index.js";
import type { Tensor, TensorTree } from "../tensor/index.js";
import { type Plan, printPlan } from "./index.js";

describe("printPlan", () => {
  test("prints one instruction a line, with the places of its operands", () => {
    const weight = spread([3, 4]);
    const f = compile((x: Tensor) => ops.sum(ops.tanh(ops.add(ops.matmul(x, weight), 1))));
    expect(printPlan(f.plan(spread([2, 3])))).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float64[2,4] = matmul input0 constant0
      @64 float64[2,4] = add @0 constant1
      @0 float64[2,4] = tanh @64
      output0 float64[] = sum @0"
    `);
  });

  test("prints loops: results go straight to their place, the carry is overwritten at the end", () => {
    const f = compile((x: Tensor) =>
      scan((h: Tensor, y: Tensor) => [ops.tanh(ops.add(h, y)), ops.sin(h)], ops.zeros([2], "float64"), x),
    );
    expect(printPlan(f.plan(spread([5, 2])))).toMatchInlineSnapshot(`
      "arena 192 bytes
      @0 float64[2] = constant0
      loop 5 {
        @64 float64[2] = add @0 input0[t]
        @128 float64[2] = tanh @64
        output1[t] float64[2] = sin @0
        @0 float64[2] = @128
      }
      output0 float64[2] = @0"
    `);
  });

  test("prints a loop that runs backwards", () => {
    const f = compile((x: Tensor) => scan((h: Tensor, y: Tensor) => [y, h], float64(0), x, { reverse: true }));
    expect(printPlan(f.plan(spread([3, 1])))).toMatchInlineSnapshot(`
      "arena 64 bytes
      @0 float64[1] = constant0
      loop 3 reverse {
        output1[t] float64[1] = @0
        @0 float64[1] = input0[t]
      }
      output0 float64[1] = @0"
    `);
  });
});

const applied = (plan: Plan) => plan.instructions.flatMap((one) => (one.kind === "apply" ? [one.primitive.name] : []));

test("equations that nobody reads are not in the Plan", () => {
  const f = compile((x: Tensor) => {
    ops.exp(x);
    return ops.sin(x);
  });
  expect(applied(f.plan(float64(1)))).toEqual(["sin"]);
});

test("reshape and stopGradient cost nothing: they are other names of one slot", () => {
  const f = compile((x: Tensor) => ops.reshape(ops.stopGradient(ops.sin(ops.reshape(x, [6]))), [3, 2]));
  expect(applied(f.plan(spread([2, 3])))).toEqual(["sin"]);
});

test("equal constants are kept once, and made once", () => {
  const f = compile((x: Tensor) => ops.multiply(ops.add(x, 2), ops.add(ops.sin(x), 2)));
  expect(f.plan(float64(1, 2)).constants.length).toBe(1);
});

describe("the arena", () => {
  test("of a chain holds two results at a time, however long the chain is", () => {
    const chain = (length: number) =>
      compile((x: Tensor) => Array.from({ length }).reduce<Tensor>((y) => ops.sin(y), x)).plan(spread([100]))
        .arenaBytes;
    const one = Math.ceil((100 * 8) / 64) * 64;
    // The last result of the chain is written straight into the output.
    expect(chain(2)).toBe(one);
    expect(chain(3)).toBe(2 * one);
    expect(chain(20)).toBe(2 * one);
  });

  test("keeps a result until its last reader, through other names too", () => {
    const plan = compile((x: Tensor) => {
      const kept = ops.sin(x);
      const name = ops.reshape(kept, [100]);
      const far = ops.exp(ops.exp(ops.exp(x)));
      return ops.add(ops.reshape(name, [10, 10]), far);
    }).plan(spread([10, 10]));
    const one = Math.ceil((100 * 8) / 64) * 64;
    expect(plan.arenaBytes).toBe(3 * one);
  });

  test("of a loop is free again after it", () => {
    const loop = (x: Tensor) => scan((h: Tensor) => [ops.sin(ops.cos(ops.sin(h))), []], x, [], { length: 3 })[0];
    const bytes = (times: number) =>
      compile((x: Tensor) => Array.from({ length: times }).reduce<Tensor>(loop, x)).plan(spread([64])).arenaBytes;
    expect(bytes(5)).toBe(bytes(2));
  });

  test("of a loop does not grow with its length", () => {
    const bytes = (length: number) =>
      compile((x: Tensor) => scan((h: Tensor) => [ops.sin(ops.cos(ops.sin(h))), []], x, [], { length })).plan(
        spread([64]),
      ).arenaBytes;
    expect(bytes(1000)).toBe(bytes(2));
  });
});

/** Plans as fast kernels are given them, run by the reference evaluation. */
const prepared: Kernels = { ...referenceKernels, name: "prepared reference", target: { panel: 4, width: 2 } };

/** The Plan of a function; compiled, it gives the same numbers at every run as it does step by step. */
function planned<Args extends Tensor[]>(
  f: (...args: Args) => TensorTree,
  args: () => Args,
  donate: readonly number[] = [],
): string {
  const expected = f(...args());
  const compiled = compile(f, { kernels: prepared, donate });
  for (let run = 0; run < 2; run++) expectSame(compiled(...args()), expected);
  return printPlan(compiled.plan(...args()));
}

describe("a carry whose history is asked for", () => {
  const args = (length: number) => (): [Tensor, Tensor] => [
    numbers(1, [2], "float32"),
    numbers(2, [length, 2], "float32"),
  ];

  /** Old values, new values, or both, of all steps, and the last one. */
  const run =
    (wanted: "old" | "new" | "both", reverse = false) =>
    (start: Tensor, xs: Tensor) =>
      scan(
        (h: Tensor, x: Tensor) => {
          const next = ops.sin(ops.add(h, x));
          return [next, wanted === "old" ? [h] : wanted === "new" ? [next] : [ops.cos(h), h, next]];
        },
        start,
        xs,
        { reverse },
      );

  /** The same, where the histories are read by another operation instead of being results. */
  const within =
    (wanted: "old" | "new" | "both", reverse = false) =>
    (start: Tensor, xs: Tensor) => {
      const [last, histories] = run(wanted, reverse)(start, xs);
      return [last, ...(histories as Tensor[]).map((history) => ops.sum(history, { axes: 0 }))];
    };

  test("lives in that history: a step reads one entry and writes the next", () => {
    expect(planned(within("both"), args(5))).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float32[2] = input0
      loop 5 {
        @8[t] float32[2], @64[t] float32[2] = fused @0[t] input1[t]
      }
      output1 float32[2] = sum @64
      output2 float32[2] = sum @0
      output3 float32[2] = sum @8
      output0 float32[2] = @40"
    `);
  });

  test("runs backwards through it in a loop that does", () => {
    expect(planned(within("both", true), args(5))).toMatchInlineSnapshot(`
      "arena 128 bytes
      @40 float32[2] = input0
      loop 5 reverse {
        @0[t] float32[2], @64[t] float32[2] = fused @8[t] input1[t]
      }
      output1 float32[2] = sum @64
      output2 float32[2] = sum @8
      output3 float32[2] = sum @0
      output0 float32[2] = @0"
    `);
  });

  test("is written where the history is a result of the run", () => {
    expect(planned(run("old"), args(5))).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float32[2] = input0
      loop 5 {
        @64 float32[2] = fused @0 input1[t]
        output1[t] float32[2] = @0
        @0 float32[2] = @64
      }
      output0 float32[2] = @0"
    `);
    expect(planned(run("new"), args(5))).toMatchInlineSnapshot(`
      "arena 64 bytes
      @0 float32[2] = input0
      loop 5 {
        output1[t] float32[2] = fused @0 input1[t]
        @0 float32[2] = output1[t]
      }
      output0 float32[2] = @0"
    `);
  });

  test.each([0, 1, 2, 5])("has the right values after %d steps", (length) => {
    for (const wanted of ["old", "new", "both"] as const) {
      for (const reverse of [false, true]) {
        planned(run(wanted, reverse), args(length));
        planned(within(wanted, reverse), args(length));
      }
    }
  });

  test("is exchanged with another one without being lost", () => {
    const exchange = (a: Tensor, xs: Tensor) => {
      const [last, histories] = scan(
        ({ p, q }: { readonly p: Tensor; readonly q: Tensor }, x: Tensor) => [{ p: q, q: p }, [p, ops.add(q, x)]],
        { p: a, q: ops.cos(a) },
        xs,
      );
      return [last, ...(histories as Tensor[]).map((history) => ops.sum(history, { axes: 0 }))];
    };
    for (const length of [0, 1, 4, 5]) planned(exchange, args(length));
  });

  test("that stays as it is, or comes from a slice, has the right values", () => {
    const stays = (a: Tensor, xs: Tensor) => {
      const [last, all] = scan((h: Tensor, x: Tensor) => [h, [h, ops.add(h, x)]], a, xs);
      return [last, ...(all as Tensor[]).map((one) => ops.sum(one, { axes: 0 }))];
    };
    const follows = (a: Tensor, xs: Tensor) => {
      const [last, all] = scan((h: Tensor, x: Tensor) => [x, [h, ops.multiply(h, x)]], a, xs);
      return [last, ...(all as Tensor[]).map((one) => ops.sum(one, { axes: 0 }))];
    };
    for (const length of [0, 1, 5]) {
      planned(stays, args(length));
      planned(follows, args(length));
    }
  });
});

describe("what a loop stacks", () => {
  const [w, xs] = [() => numbers(1, [4, 4], "float32"), () => numbers(2, [5, 3, 4], "float32")];
  type Step = (w: Tensor, h: Tensor, x: Tensor) => { next: Tensor; stacked: Tensor };

  /** A loop over the sines of a sequence; the sum of its stack, and what else is made of the sines. */
  const over =
    (step: Step, more: (sines: Tensor, stack: Tensor) => readonly Tensor[] = () => []) =>
    (w: Tensor, xs: Tensor) => {
      const sines = ops.sin(xs);
      const loop = (h: Tensor, x: Tensor) => {
        const { next, stacked } = step(w, h, x);
        return [next, stacked] as const;
      };
      const [last, stack] = scan(loop, ops.zeros([3, 4]), sines);
      return [last, ops.sum(stack, { axes: [0, 1] }), ...more(sines, stack)];
    };
  const plannedOver = (step: Step, more?: Parameters<typeof over>[1]) =>
    planned<[Tensor, Tensor]>(over(step, more), () => [w(), xs()]);

  /** A product that is added to the input, and something of that. */
  const addsProduct: Step = (w, h, x) => {
    const stacked = ops.tanh(ops.add(x, ops.matmul(h, w)));
    return { next: ops.multiply(stacked, 0.5), stacked };
  };

  test("lies in the place of what it reads for the last time, and so does what comes between", () => {
    expect(plannedOver(addsProduct)).toMatchInlineSnapshot(`
      "arena 384 bytes
      @0 float32[5,3,4] = fused input1
      @256 float32[16] = pack input0
      @320 float32[3,4] = constant0
      loop 5 {
        @0[t] float32[3,4] = product @320 @256 @0[t]
        @0[t] float32[3,4], @320 float32[3,4] = fused @0[t]
      }
      output1 float32[4] = sum @0
      output0 float32[3,4] = @320"
    `);
  });

  /** Whether the product is written over the input of the step. */
  const isInPlace = (plan: string) => /@(\d+)\[t\] float32\[3,4\] = product \S+ \S+ @\1\[t\]/.test(plan);

  test("does so, too, if the step reads the input before", () => {
    expect(isInPlace(plannedOver((w, h, x) => addsProduct(w, ops.add(h, x), x)))).toBe(true);
  });

  test("has a place of its own if the step reads the input later", () => {
    const later: Step = (w, h, x) => {
      const { stacked } = addsProduct(w, h, x);
      return { next: ops.add(ops.matmul(stacked, w), x), stacked };
    };
    expect(isInPlace(plannedOver(later))).toBe(false);
  });

  test("has a place of its own if something reads the input behind the loop", () => {
    expect(isInPlace(plannedOver(addsProduct, (sines) => [ops.sum(sines)]))).toBe(false);
  });

  test("has a place of its own if every step reads all of the input", () => {
    const f = (w: Tensor, xs: Tensor) => {
      const sines = ops.sin(xs);
      const loop = (h: Tensor, x: Tensor) => {
        const stacked = ops.tanh(ops.add(x, ops.matmul(h, w)));
        return [ops.add(stacked, ops.sum(ops.multiply(sines, stacked), { axes: 0 })), stacked] as const;
      };
      const [last, stack] = scan(loop, ops.zeros([3, 4]), sines);
      return [last, ops.sum(stack)];
    };
    expect(isInPlace(planned<[Tensor, Tensor]>(f, () => [w(), xs()]))).toBe(false);
  });
});

describe("a carry without history", () => {
  test("is updated in place if the step reads it element by element", () => {
    const f = (start: Tensor, xs: Tensor) => scan((h: Tensor, x: Tensor) => [ops.sin(ops.add(h, x)), []], start, xs)[0];
    expect(
      planned<[Tensor, Tensor]>(f, () => [numbers(1, [2], "float32"), numbers(2, [5, 2], "float32")]),
    ).toMatchInlineSnapshot(`
      "arena 64 bytes
      @0 float32[2] = input0
      loop 5 {
        @0 float32[2] = fused @0 input1[t]
      }
      output0 float32[2] = @0"
    `);
  });

  test("is copied if the step reads it through a view", () => {
    const f = (start: Tensor, xs: Tensor) =>
      scan((h: Tensor, x: Tensor) => [ops.add(ops.reverse(h), x), []], start, xs)[0];
    expect(
      planned<[Tensor, Tensor]>(f, () => [numbers(1, [2], "float32"), numbers(2, [5, 2], "float32")]),
    ).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float32[2] = input0
      loop 5 {
        @64 float32[2] = fused @0 input1[t]
        @0 float32[2] = @64
      }
      output0 float32[2] = @0"
    `);
  });
});

describe("donated arguments", () => {
  const two = (): [Tensor, Tensor] => [numbers(1, [3], "float32"), numbers(2, [3], "float32")];

  test("are updated in place", () => {
    const f = (p: Tensor, g: Tensor) => ops.subtract(p, ops.multiply(g, 0.1));
    expect(planned(f, two, [0])).toMatchInlineSnapshot(`
      "arena 0 bytes
      output0 float32[3] = fused input1 input0"
    `);
  });

  test("that are exchanged are first copied aside", () => {
    expect(planned((a: Tensor, b: Tensor) => [b, a], two, [0, 1])).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float32[3] = input1
      @64 float32[3] = input0
      output0 float32[3] = @0
      output1 float32[3] = @64"
    `);
  });

  test("that are given back as they are cost nothing", () => {
    const f = (a: Tensor, b: Tensor) => [a, ops.sin(b), ops.add(a, b)];
    expect(planned(f, two, [0, 1])).toMatchInlineSnapshot(`
      "arena 64 bytes
      @0 float32[3], output2 float32[3] = fused input1 input0
      output1 float32[3] = @0"
    `);
  });

  test("that are results, while other results take over their memory, are first copied aside", () => {
    const f = (a: Tensor, b: Tensor) => [ops.add(a, b), a];
    expect(planned(f, two, [0])).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float32[3] = fused input0 input1
      @64 float32[3] = input0
      output0 float32[3] = @0
      output1 float32[3] = @64"
    `);
  });

  test("that are results under another name are copied aside, too", () => {
    const f = (a: Tensor, b: Tensor) => [ops.add(a, b), ops.reshape(a, [3, 1])];
    expect(planned(f, two, [0])).toMatchInlineSnapshot(`
      "arena 128 bytes
      @0 float32[3] = fused input0 input1
      @64 float32[3,1] = input0
      output0 float32[3] = @0
      output1 float32[3,1] = @64"
    `);
  });

  test("that a loop starts from are not overwritten by it", () => {
    const f = (a: Tensor, xs: Tensor) => [
      scan((h: Tensor, x: Tensor) => [ops.sin(ops.add(h, x)), []], a, xs)[0],
      ops.sum(a),
    ];
    expect(
      planned<[Tensor, Tensor]>(f, () => [numbers(1, [3], "float32"), numbers(2, [4, 3], "float32")], [0]),
    ).toMatchInlineSnapshot(`
      "arena 64 bytes
      @0 float32[3] = input0
      loop 4 {
        @0 float32[3] = fused @0 input1[t]
      }
      output1 float32[] = sum input0
      output0 float32[3] = @0"
    `);
  });
});

test("results are computed straight into the outputs of the run, and copied to the second of two", () => {
  const f = (x: Tensor) => {
    const y = ops.sin(x);
    return [y, ops.matmul(y, x), y, x];
  };
  expect(planned<[Tensor]>(f, () => [numbers(1, [3, 3], "float32")])).toMatchInlineSnapshot(`
    "arena 0 bytes
    output0 float32[3,3] = fused input0
    output1 float32[3,3] = product output0 input0
    output2 float32[3,3] = output0
    output3 float32[3,3] = input0"
  `);
});
