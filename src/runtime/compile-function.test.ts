/** Compiled functions: the same numbers as eagerly, traced once, memory taken over where it is donated. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectTensor, float64, int32, scalar, spread, tensorsOf } from "../../test/scalar-loops.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { flattenTree, MemoryError, OptionError, TraceError } from "../core/index.js";
import * as ops from "../ops/index.js";
import { scan } from "../scan/index.js";
import { isTensor, sizeOf, type Tensor, type TensorTree, tensor } from "../tensor/index.js";
import { grad, vjp } from "../transforms/index.js";
import { compile, referenceKernels, selectKernels } from "./index.js";

const expectSame = (actual: TensorTree, expected: TensorTree, tolerance: number = TOLERANCES.exact): void => {
  const [found, wanted] = [flattenTree(actual, isTensor), flattenTree(expected, isTensor)];
  expect(found.paths).toEqual(wanted.paths);
  wanted.leaves.forEach((leaf, index) => {
    expectTensor(found.leaves[index] as Tensor, leaf, tolerance);
  });
};

// ------------------------------------------------------------------------------------------------ random programs

/** One step of a random program: which operation, and which earlier results it reads. */
interface Step {
  readonly operation: number;
  readonly first: number;
  readonly second: number;
}

const flat = (x: Tensor): Tensor => ops.reshape(x, [-1]);
/** A matrix, of whatever shape. */
const asMatrix = (x: Tensor): Tensor => ops.reshape(x, [x.shape[0] ?? 1, -1]);

const choices: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x) => ops.sin(x),
  (x) => ops.negate(x),
  (x) => flat(x),
  (x) => ops.stopGradient(flat(ops.tanh(x))),
  (x) => ops.transpose(x),
  (x) => ops.reverse(asMatrix(x), 1),
  (x) => ops.sum(x),
  (x, y) => ops.multiply(x, ops.tanh(ops.sum(y))),
  (x, y) => ops.add(x, ops.mean(y)),
  (x, y) => ops.slice(ops.concatenate([flat(x), flat(y)]), 0, 1),
  (x, y) => ops.select(ops.greater(x, 0), x, ops.tanh(ops.sum(y))),
  (x) => ops.matmul(asMatrix(x), asMatrix(x), { transposeB: true }),
  (x) => ops.add(ops.fill(x.shape, 0.5, "float64"), ops.tanh(x)),
  // Loops: over rows, with results, constants from outside and a carry that is handed on or exchanged.
  (x, y) => scan((h: Tensor, row: Tensor) => [ops.tanh(ops.add(h, ops.sum(row))), []], ops.sum(y), asMatrix(x))[0],
  (x, y) => scan((h: Tensor, row: Tensor) => [ops.sum(ops.sin(row)), ops.add(row, h)], ops.sum(y), asMatrix(x))[1],
  (x, y) =>
    scan(
      ([a, b]: readonly [Tensor, Tensor], row: Tensor) => [[b, a] as const, ops.multiply(row, ops.tanh(a))],
      [ops.sum(x), ops.sum(y)] as const,
      asMatrix(x),
      { reverse: true },
    )[1],
  (x, y) =>
    scan(
      (h: Tensor, row: Tensor) => {
        const [inner, all] = scan((g: Tensor, one: Tensor) => [ops.tanh(ops.add(g, one)), ops.multiply(g, h)], h, row);
        return [inner, ops.add(ops.sum(all), ops.tanh(ops.sum(y)))];
      },
      scalar(0.1),
      asMatrix(x),
    )[1],
];

const run = (steps: readonly Step[], results: readonly number[], inputs: readonly Tensor[]): Tensor[] => {
  const pool = [...inputs];
  for (const { operation, first, second } of steps) {
    const pick = (k: number) => pool[k % pool.length] as Tensor;
    const made = (choices[operation] as (typeof choices)[number])(pick(first), pick(second));
    pool.push(sizeOf(made.shape) > 30 ? ops.mean(made) : made);
  }
  return [pool.at(-1) as Tensor, ...results.map((k) => pool[k % pool.length] as Tensor)];
};

const programs = fc.record({
  steps: fc.array(
    fc.record({
      operation: fc.nat({ max: choices.length - 1 }),
      first: fc.nat({ max: 20 }),
      second: fc.nat({ max: 20 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  results: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
  inputs: fc.tuple(tensorsOf("float64", [2, 3]), tensorsOf("float64", [4]), tensorsOf("float64", [])),
});

describe("a random program", () => {
  test("gives the same numbers compiled as eagerly, at every run", () => {
    fc.assert(
      fc.property(programs, ({ steps, results, inputs }) => {
        const f = (all: readonly Tensor[]) => run(steps, results, all);
        const compiled = compile(f);
        const others = inputs.map((x) => ops.cos(x));
        expectSame(compiled(inputs), f(inputs));
        expectSame(compiled(others), f(others));
        expectSame(compiled(inputs), f(inputs));
      }),
      { numRuns: 300 },
    );
  });

  test("has the same gradient compiled as eagerly", () => {
    fc.assert(
      fc.property(programs, ({ steps, results, inputs }) => {
        const loss = (all: readonly Tensor[]) =>
          run(steps, results, all).reduce((total, x) => ops.add(total, ops.sum(ops.sin(x))), scalar(0));
        // Sums over time leave their loop, and are taken in another order.
        expectSame(compile(grad(loss))(inputs), grad(loss)(inputs), TOLERANCES.float64);
      }),
      { numRuns: 100 },
    );
  });

  test("gives the same numbers into donated inputs", () => {
    fc.assert(
      fc.property(programs, ({ steps, results, inputs }) => {
        const f = (all: readonly Tensor[]) => [...run(steps, results, all), ...all.toReversed()];
        const expected = f(inputs);
        const copies = inputs.map((x) => tensor(x.data.slice(), { shape: x.shape }));
        expectSame(compile(f, { donate: [0] })(copies), expected);
      }),
      { numRuns: 100 },
    );
  });
});

// ---------------------------------------------------------------------------------------------------------- tracing

describe("a compiled function", () => {
  test("is traced once for each set of types", () => {
    let calls = 0;
    const f = compile((tree: { x: Tensor }, y: Tensor) => {
      calls += 1;
      return ops.add(tree.x, y);
    });
    expectTensor(f({ x: float64(1, 2) }, float64(3)), float64(4, 5));
    expectTensor(f({ x: float64(5, 6) }, float64(7)), float64(12, 13));
    expect(calls).toBe(1);
    f({ x: float64(1) }, float64(3));
    expect(calls).toBe(2);
    f({ x: tensor([1, 2]) }, tensor([3]));
    expect(calls).toBe(3);
    f.plan({ x: float64(1, 2) }, float64(3));
    f({ x: float64(1, 2) }, float64(3));
    expect(calls).toBe(3);
  });

  test("tells trees of other forms apart", () => {
    const f = compile((tree: TensorTree) => (Array.isArray(tree) ? float64(1) : float64(2)));
    expectTensor(f([float64(0)]) as Tensor, float64(1));
    expectTensor(f({ 0: float64(0) }) as Tensor, float64(2));
    expectTensor(f([float64(0)]) as Tensor, float64(1));
  });

  test("fixes what it reads from outside", () => {
    let scale = 2;
    const weight = float64(10);
    const f = compile((x: Tensor) => ops.multiply(ops.add(x, weight), scale));
    expectTensor(f(float64(1)), float64(22));
    scale = 3;
    expectTensor(f(float64(1)), float64(22));
  });

  test("gives results in trees, inputs and constants among them, each in memory of its own", () => {
    const constant = float64(7);
    const f = compile((x: Tensor) => ({ same: x, twice: [x, ops.sin(x), ops.reshape(x, [1, 1])], constant }));
    const x = float64(1);
    const result = f(x);
    expectSame(result, { same: x, twice: [x, float64(Math.sin(1)), tensor([[1]], { dtype: "float64" })], constant });
    const memory = flattenTree(result, isTensor).leaves.map(({ data }) => data.buffer);
    expect(new Set([...memory, x.data.buffer, constant.data.buffer]).size).toBe(memory.length + 2);
  });

  test("results of earlier runs stay as they were", () => {
    const f = compile((x: Tensor) => ops.exp(ops.sin(x)));
    const first = f(float64(1));
    f(float64(2));
    expectTensor(first, float64(Math.exp(Math.sin(1))));
  });

  test("called while another function is traced, is part of that one", () => {
    let calls = 0;
    const inner = compile((x: Tensor) => {
      calls += 1;
      return ops.square(x);
    });
    const outer = compile((x: Tensor) => ops.add(inner(x), inner(ops.sin(x))));
    expectTensor(outer(float64(2)), float64(4 + Math.sin(2) ** 2), TOLERANCES.float64);
    expect(calls).toBe(2);
    const operations = outer.plan(float64(2)).instructions.map((one) => one.kind === "apply" && one.primitive.name);
    expect(operations).toEqual(["square", "sin", "square", "add"]);
    expectTensor(grad((x: Tensor) => inner(x))(scalar(3)), scalar(6));
  });

  test("called in a trace with concrete tensors, is run at once", () => {
    const inner = compile((x: Tensor) => ops.square(x));
    const outer = compile((x: Tensor) => ops.add(x, inner(float64(3))));
    expectTensor(outer(float64(1)), float64(10));
    expect(outer.plan(float64(1)).instructions.length).toBe(1);
  });

  test("cannot read a tensor of an outer trace in secret", () => {
    const outer = (x: Tensor) => compile((y: Tensor) => ops.add(x, y))(float64(1));
    expect(() => compile(outer)(float64(1))).toThrow(
      new TraceError("compile: the function reads a tensor of an outer trace; hand it in as an argument"),
    );
  });

  test("runs again after a run that failed", () => {
    const f = compile((table: Tensor, k: Tensor) => ops.add(ops.gather(table, k), 1));
    expectTensor(f(float64(1, 2), int32(1)), float64(3));
    expect(() => f(float64(1, 2), int32(2))).toThrow("there is no row 2");
    expectTensor(f(float64(1, 2), int32(0)), float64(2));
  });

  test("without arguments gives its constants", () => {
    expectTensor(compile(() => ops.ones([2]))(), tensor([1, 1]));
  });
});

describe("constants", () => {
  test("that JSON cannot tell apart stay apart", () => {
    const f = compile((x: Tensor) => [Infinity, -Infinity, NaN].map((number) => ops.add(x, number)));
    expectSame(f(float64(1)), [float64(Infinity), float64(-Infinity), float64(NaN)]);
    const [plus, minus] = compile((x: Tensor) => [ops.divide(x, 0), ops.divide(x, -0)])(float64(1)) as [Tensor, Tensor];
    expect([plus.data[0], minus.data[0]]).toEqual([Infinity, -Infinity]);
  });

  test("beside traced operands are kept as small as they are, not repeated", () => {
    const [row, column, scale] = [spread([3]), spread([4, 1]), float64(2)];
    const f = (x: Tensor) => ops.multiply(ops.add(row, ops.subtract(x, column)), scale);
    const x = spread([4, 3]);
    const compiled = compile(f, { kernels: referenceKernels });
    expectSame(compiled(x), f(x));
    expect(
      compiled
        .plan(x)
        .constants.map(({ shape }) => sizeOf(shape))
        .toSorted((a, b) => a - b),
    ).toEqual([1, 3, 4]);
  });

  test("of several types and shapes stay apart", () => {
    const f = (x: Tensor) => [ops.ones([2]), ops.ones([2], "float64"), ops.ones([2, 1]), ops.ones([2], "int32"), x];
    expectSame(compile(f)(float64(1)), f(float64(1)));
  });
});

describe("loops", () => {
  const f = (x: Tensor) =>
    scan(
      (h: Tensor, y: Tensor) => [ops.tanh(ops.multiply(ops.add(h, y), 0.5)), ops.sin(ops.add(h, y))],
      float64(0.3),
      x,
    );

  test("that stand in a Program more than once do not share their memory", () => {
    const rows = (x: Tensor) => {
      const { value, pullback } = vjp(f, x);
      const [last, all] = value;
      return [
        value,
        ...[1, 2, 5].map((k) => pullback([ops.fill(last.shape, k, "float64"), ops.fill(all.shape, k, "float64")])),
      ];
    };
    const x = spread([3, 1]);
    expectSame(compile(rows)(x), rows(x));
  });

  test("of length 0 give the initial carry", () => {
    expectSame(compile(f)(ops.zeros([0, 1], "float64")), [float64(0.3), ops.zeros([0, 1], "float64")]);
  });

  test("that read nothing give constants", () => {
    const g = () => scan((carry: []) => [carry, ops.ones([2])], [], [], { length: 3 })[1];
    expectSame(compile(g)(), g());
  });

  test("whose carry is exchanged read the old values", () => {
    const g = (x: Tensor) =>
      scan(([a, b]: readonly Tensor[]) => [[b, a, ops.add(a, b)] as Tensor[], []], [x, ops.sin(x), x], [], {
        length: 3,
      })[0];
    expectSame(compile(g)(float64(2)), g(float64(2)));
  });
});

describe("donate", () => {
  test("writes results into the memory of donated arguments of their type", () => {
    const f = compile(
      (state: { w: Tensor; n: Tensor }, x: Tensor) => ({ n: ops.add(state.n, 1), w: ops.multiply(state.w, x) }),
      { donate: [0] },
    );
    const [state, x] = [{ w: float64(1, 2), n: scalar(0, "int32") }, float64(10, 100)];
    const memory = [state.n.data, state.w.data];
    let next = f(state, x);
    for (let k = 0; k < 2; k++) next = f(next, x);
    expectSame(next, { w: float64(1000, 2e6), n: scalar(3, "int32") });
    expect([next.n.data, next.w.data]).toEqual(memory);
    expect(next.w.data).toBe(memory[1]);
    expect(next.n.data).toBe(memory[0]);
    expectTensor(x, float64(10, 100));
  });

  test("gives right values when results are exchanged arguments", () => {
    const swap = compile(([a, b]: readonly [Tensor, Tensor]) => [b, a] as [Tensor, Tensor], { donate: [0] });
    const [a, b] = [float64(1), float64(2)];
    const result = swap([a, b]);
    expectSame(result, [float64(2), float64(1)]);
    expect(result[0].data).toBe(a.data);
    expect(result[1].data).toBe(b.data);
  });

  test("gives right values when results are other names of arguments", () => {
    const f = compile(
      ([a, b]: readonly Tensor[]) => [ops.reshape(b as Tensor, [2]), ops.add(a as Tensor, 1), a as Tensor],
      { donate: [0] },
    );
    expectSame(f([float64(1, 2), tensor([[3], [4]], { dtype: "float64" })]), [
      float64(3, 4),
      float64(2, 3),
      float64(1, 2),
    ]);
  });

  test("does not write two results into one tensor that was given twice", () => {
    const f = compile(([a, b]: readonly Tensor[]) => [ops.add(a as Tensor, 1), ops.add(b as Tensor, 2)], {
      donate: [0],
    });
    const zero = float64(0);
    expectSame(f([zero, zero]), [float64(1), float64(2)]);
  });

  test("allocates results that no donated argument fits", () => {
    const f = compile((x: Tensor) => [ops.sum(x), ops.sin(x), ops.cos(x)], { donate: [0] });
    const x = float64(1, 2);
    const [, s, c] = f(x);
    expect(s?.data).toBe(x.data);
    expect(c?.data).not.toBe(x.data);
  });

  test("of an argument that is not there is an error", () => {
    expect(() => compile((x: Tensor) => x, { donate: [1] })(float64(1))).toThrow(
      new OptionError("compile: cannot donate argument 1; there are 1"),
    );
  });
});

describe("bind", () => {
  const step = ([w, n]: readonly [Tensor, Tensor], x: Tensor) =>
    [[ops.add(ops.multiply(w, 0.5), x), ops.add(n, 1)] as [Tensor, Tensor], ops.sum(w)] as const;

  test("repeats a call, reads what is new in its arguments, and writes into the same memory", () => {
    const f = compile(step);
    const [w, n, x] = [float64(1, 2), scalar(0, "int32"), float64(10, 20)];
    const run = f.bind([w, n], x);
    const first = run();
    expectSame(first, [[float64(10.5, 21), scalar(1, "int32")], scalar(3)]);
    w.data[1] = 4;
    x.data[0] = 0;
    expectSame(run(), [[float64(0.5, 22), scalar(1, "int32")], scalar(5)]);
    expect(run()).toBe(first);
    expectSame([w, n, x], [float64(1, 4), scalar(0, "int32"), float64(0, 20)]);
  });

  test("goes on from run to run in donated arguments", () => {
    const state = [float64(8, 16), scalar(0, "int32")] as [Tensor, Tensor];
    const run = compile(step, { donate: [0] }).bind(state, float64(0, 1));
    const sums = [1, 2, 3].map(() => run()[1].data[0]);
    expect(sums).toEqual([24, 4 + 9, 2 + 5.5]);
    expectSame(state, [float64(1, 3.75), scalar(3, "int32")]);
    expect(run()[0][0].data).toBe(state[0].data);
  });

  test("does not touch what plain calls gave", () => {
    const f = compile((x: Tensor) => ops.add(x, 1));
    const x = float64(1, 2);
    const run = f.bind(x);
    const bound = run();
    const plain = f(float64(5, 6));
    run();
    expectTensor(plain, float64(6, 7));
    expectTensor(bound, float64(2, 3));
    expect(plain.data).not.toBe(bound.data);
  });

  test("of a function without arguments, or without results", () => {
    expectTensor(compile(() => ops.ones([2])).bind()(), tensor([1, 1]));
    expect(compile(() => ({ nothing: [] })).bind()()).toEqual({ nothing: [] });
  });

  test("cannot donate what is given as several arguments, or read from outside", () => {
    const f = compile((a: Tensor, b: Tensor) => [ops.add(a, b), ops.multiply(a, b)], { donate: [0, 1] });
    const x = float64(1);
    const sentence =
      "compile: bind cannot donate a tensor that is also given as another argument, or read from outside; copy it";
    expect(() => f.bind(x, x)).toThrow(new OptionError(sentence));
    const outside = compile((a: Tensor) => ops.add(a, x), { donate: [0] });
    expect(() => outside.bind(x)).toThrow(new OptionError(sentence));
    expectTensor(outside.bind(float64(2))(), float64(3));
    expectSame(compile((a: Tensor, b: Tensor) => ops.add(a, b)).bind(x, x)(), float64(2));
  });

  test("needs concrete tensors", () => {
    const inner = compile((x: Tensor) => ops.square(x));
    expect(() => compile((x: Tensor) => inner.bind(x)())(float64(1))).toThrow(TraceError);
  });

  test("traces what a plain call traces, once", () => {
    let calls = 0;
    const f = compile((x: Tensor) => {
      calls += 1;
      return ops.sin(x);
    });
    f.bind(float64(1))();
    f.bind(float64(2))();
    f(float64(3));
    expect(calls).toBe(1);
  });
});

describe("memory that was given away to another thread", () => {
  const giveAway = (x: Tensor) => structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });

  test("is an error, and the function still runs", () => {
    const f = compile((x: Tensor) => ops.add(x, 1), { kernels: referenceKernels });
    const lost = float64(1, 2);
    giveAway(lost);
    expect(() => f(lost)).toThrow(MemoryError);
    expect(() => f(lost)).toThrow("the memory of float64[2] was given away (transferred to another thread); copy it");
    expectTensor(f(float64(1, 2)), float64(2, 3));
  });

  test("is an error where a bound call leaves its results", () => {
    const run = compile((x: Tensor) => ops.add(x, 1), { kernels: referenceKernels }).bind(float64(1, 2));
    giveAway(run());
    expect(run).toThrow(MemoryError);
  });

  test("has no elements to miss in an empty tensor", () => {
    const f = compile((x: Tensor) => ops.sum(x), { kernels: referenceKernels });
    const empty = ops.zeros([0, 3]);
    giveAway(empty);
    expectTensor(f(empty), tensor(0));
  });
});

test("the reference kernels are always there", () => {
  expect(referenceKernels.name).toBe("reference");
  const f = compile((x: Tensor) => ops.square(x), { kernels: referenceKernels });
  expectTensor(f(float64(3)), float64(9));
  expect(selectKernels().name).not.toBe("");
});
