/** What every set of kernels must do: compute what the reference computes. Run by the test of each set. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryError, ShapeError, TraceError } from "../../src/core/index.js";
import { textStream } from "../../src/data/index.js";
import { adam, clipByNorm, truncatedBptt } from "../../src/learn/index.js";
import {
  type Cell,
  elman,
  gru,
  gruResetBefore,
  linear,
  lstm,
  recurrent,
  standardize,
  uniformInit,
} from "../../src/nn/index.js";
import * as ops from "../../src/ops/index.js";
import {
  type CompileOptions,
  compile,
  compileTogether,
  type Kernels,
  referenceKernels,
} from "../../src/runtime/index.js";
import { scan } from "../../src/scan/index.js";
import { languageModel } from "../../src/tasks/index.js";
import { HostTensor, mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../../src/tensor/index.js";
import { initialState, train } from "../../src/train/index.js";
import { grad, valueAndGrad } from "../../src/transforms/index.js";
import { expectClose, expectSame } from "../close.js";
import { expectNear, flushed } from "../kernel-close.js";
import { filled, floats, kernelOperations, noOperations, wholes } from "../kernel-operations.js";
import { graphs, loops, lossOf } from "../kernel-programs.js";
import { toyParams, toyProblem, toyWindow } from "../toy-problem.js";
import { operationCases } from "./operation.cases.js";

/** Of float32 numbers: unit roundoff 6e-8, some ten roundings of functions and sums. */
const ROUNDED = 2e-6;
/** Of graphs and loops of some ten operations. */
const COMPOSED = 1e-5;

/** The set to be tested. */
export interface KernelCase {
  readonly name: string;
  readonly kernels: Kernels;
}

/** Runs all cases for one set of kernels. */
export function runKernelCases({ name, kernels }: KernelCase): void {
  const compiled = <Args extends readonly TensorTree[], Result extends TensorTree>(
    f: (...args: Args) => Result,
    options: CompileOptions = {},
  ) => compile(f, { kernels, ...options });

  describe(`${name}: operations`, () => {
    test("every exported operation is among them", () => {
      const exported = Object.entries(ops).flatMap(([key, value]) => (typeof value === "function" ? [key] : []));
      const listed = [...Object.keys(kernelOperations), ...noOperations];
      expect(exported.filter((key) => !listed.includes(key))).toEqual([]);
      expect(listed.filter((key) => !exported.includes(key))).toEqual([]);
    });

    test.each(Object.entries(kernelOperations))("%s gives what the reference gives", (_, cases) => {
      for (const { about, f, inputs, exact = false, flushes = !exact, size } of cases) {
        const given = inputs();
        const closeness = {
          tolerance: exact ? 0 : ROUNDED,
          size: size?.(...given),
          or: flushes ? f(...flushed(given)) : undefined,
        };
        runNamed(about, () => {
          const run = compiled((all: Tensor[]) => f(...all));
          expectNear(run(given), f(...given), closeness);
          expectNear(run(given), f(...given), closeness);
        });
      }
    });

    test.each(Object.entries(operationCases))("%s has the gradient that the reference has", (_, cases) => {
      for (const { about, f, inputs } of cases) {
        if (about === "with a constant") continue; // of float64
        const given = inputs().map((x) => ops.cast(x, x.dtype === "int32" ? "int32" : "float32"));
        const loss = (all: Tensor[]): [Tensor, TensorTree] => {
          const result = f(...all);
          const terms = tensorsByPath(result).map(([, y]) => ops.sum(ops.sin(y)));
          return [terms.reduce((total, term) => ops.add(total, term), ops.zeros([])), result];
        };
        const all = (inputs: Tensor[]) => {
          const { value, gradient, extra } = valueAndGrad(loss)(inputs);
          return { value, gradient, extra };
        };
        runNamed(about, () => expectClose(compiled(all)(given), all(given), COMPOSED));
      }
    });

    test("a user's operation on elements runs, too", () => {
      const cube = ops.defineOperation<null>({
        name: "cube",
        pointwise: true,
        infer: ([x]) => x as Tensor,
        evaluate: ([x], { data, offset, shape }) => {
          for (let k = 0; k < shape.reduce((a, b) => a * b, 1); k++) data[offset + k] = x!.data[x!.offset + k]! ** 3;
        },
        vjp: (cotangent, { inputs: [x] }) => [ops.multiply(cotangent, ops.multiply(ops.square(x as Tensor), 3))],
        jvp: "linear",
      });
      const f = (x: Tensor) => ops.add(cube([x], null), 1);
      expectSame(compiled(f)(floats([7])), f(floats([7])));
    });

    test("that no kernels have are left to the reference: float64, and seven axes", () => {
      const f = (x: Tensor, y: Tensor) => [ops.tanh(x), ops.sum(ops.add(y, 1), { axes: 3 })];
      const [x, y] = [floats([7]), ops.expandDims(floats([2, 1, 3, 2, 1, 2]), 3)];
      expectSame(compiled(f)(x, y), f(x, y));
      const g = (x: Tensor) => ops.cast(ops.exp(ops.cast(x, "float64")), "float32");
      expectSame(compiled(g)(x), g(x));
    });

    test("on whole numbers wrap at 32 bits", () => {
      const large = filled("int32", [4], (k) => [2147483647, -2147483648, 65536, -1][k] as number);
      expectSame(compiled((x: Tensor) => [ops.add(x, 1), ops.subtract(x, 1), ops.negate(x)])(large), [
        filled("int32", [4], (k) => [-2147483648, -2147483647, 65537, 0][k] as number),
        filled("int32", [4], (k) => [2147483646, 2147483647, 65535, -2][k] as number),
        filled("int32", [4], (k) => [-2147483647, -2147483648, -65536, 1][k] as number),
      ]);
    });
  });

  describe(`${name}: fused arithmetic`, () => {
    test("of random graphs gives what the reference gives", () => {
      fc.assert(
        fc.property(graphs, ({ f, inputs }) => {
          const run = compiled(f);
          const expected = f(inputs);
          expectClose(run(inputs), expected, COMPOSED);
          expectClose(run(inputs), expected, COMPOSED);
        }),
        { numRuns: 250 },
      );
    });

    test("of random graphs is right in the memory of donated arguments, again and again", () => {
      fc.assert(
        fc.property(graphs, ({ f, inputs }) => {
          const all = (x: readonly Tensor[]) => [...f(x), ...x.toReversed()];
          const copies = mapTensors(copyOf, inputs);
          expectClose(compiled(all, { donate: [0] })(copies), all(inputs), COMPOSED);
          const again = mapTensors(copyOf, inputs);
          const bound = compiled(f, { donate: [0] }).bind(again);
          // What is donated is read by the next run as the last one left it.
          for (let k = 0; k < 2; k++) {
            const expected = f(mapTensors(copyOf, again));
            expectClose(bound(), expected, COMPOSED);
          }
        }),
        { numRuns: 80 },
      );
    });

    test("sums rows that are longer than a block", () => {
      const f = (x: Tensor) => [ops.sum(ops.square(x), { axes: 1 }), ops.sum(ops.tanh(x), { axes: -1 })] as const;
      for (const columns of [1, 15, 1023, 1024, 1025, 5000]) {
        const x = floats([3, columns]);
        const [[squares, sums], [wantedSquares, wantedSums]] = [compiled(f)(x), f(x)];
        expectNear(squares, wantedSquares, { tolerance: ROUNDED });
        expectNear(sums, wantedSums, { tolerance: ROUNDED, size: ops.sum(ops.abs(ops.tanh(x)), { axes: 1 }) });
      }
    });

    test("of more equations than a group has", () => {
      const f = (x: Tensor) =>
        Array.from({ length: 300 }).reduce<Tensor>(
          (y, _, k) => ops.add(ops.multiply(y, 0.9), k % 2 ? x : ops.sin(y)),
          x,
        );
      expectClose(compiled(f)(floats([33])), f(floats([33])), COMPOSED);
    });

    test("of many values at once, each read late", () => {
      const f = (x: Tensor) => {
        const all = Array.from({ length: 40 }, (_, k) => ops.sin(ops.multiply(x, k + 1)));
        return all.reduceRight((total, y) => ops.add(total, y), ops.zerosLike(x));
      };
      for (const size of [3, 200, 3000]) {
        expectNear(compiled(f)(floats([size])), f(floats([size])), {
          tolerance: ROUNDED,
          size: ops.fill([size], 40),
        });
      }
    });
  });

  // ------------------------------------------------------------------------------------------------- matrix products

  describe(`${name}: matrix products`, () => {
    const lengths = fc.constantFrom(0, 1, 2, 5, 6, 7, 12, 13, 16, 17, 31, 33, 64, 65, 100);
    const products = fc.record({
      M: lengths,
      K: lengths,
      N: lengths,
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      added: fc.constantFrom("nothing", "matrix", "row", "row first", "product", "column", "number"),
      right: fc.constantFrom("argument", "captured", "in a loop"),
    });
    const shaped = (rows: number, columns: number, transposed: boolean, batch: number[] = []): number[] =>
      transposed ? [...batch, columns, rows] : [...batch, rows, columns];

    test("of random sizes, with what is added", () => {
      fc.assert(
        fc.property(products, ({ M, K, N, transposeA, transposeB, added, right }) => {
          const [a, b] = [floats(shaped(M, K, transposeA)), floats(shaped(K, N, transposeB), -1, 1, 5)];
          const [matrix, row, column] = [floats([M, N], -1, 1, 9), floats([N], -1, 1, 2), floats([M, 1], -1, 1, 4)];
          const form = (a: Tensor, b: Tensor, [matrix, row, column]: readonly Tensor[]): Tensor => {
            const product = ops.matmul(a, b, { transposeA, transposeB });
            switch (added) {
              case "matrix":
                return ops.add(product, matrix as Tensor);
              case "row":
                return ops.add(product, row as Tensor);
              case "row first":
                return ops.add(row as Tensor, product);
              case "product":
                return ops.add(product, ops.matmul(a, b, { transposeA, transposeB }));
              case "column":
                return ops.add(product, column as Tensor);
              case "number":
                return ops.add(product, 0.5);
              case "nothing":
                return product;
            }
          };
          const size = ops.add(
            ops.multiply(ops.matmul(ops.abs(a), ops.abs(b), { transposeA, transposeB }), 2),
            ops.fill([M, N], 1),
          );
          const expected = form(a, b, [matrix, row, column]);
          if (right === "argument") {
            expectNear(compiled(form)(a, b, [matrix, row, column]), expected, { tolerance: ROUNDED, size });
          } else if (right === "captured") {
            const f = compiled((a: Tensor, more: readonly Tensor[]) => form(a, b, more));
            expectNear(f(a, [matrix, row, column]), expected, { tolerance: ROUNDED, size });
          } else {
            const loop = compiled((a: Tensor, b: Tensor, more: readonly Tensor[]) => {
              const step = (total: Tensor) => [ops.multiply(total, 0.5), form(ops.add(a, total), b, more)] as const;
              return scan(step, ops.zeros([]), [], { length: 2 })[1];
            });
            const both = loop(a, b, [matrix, row, column]);
            expectNear(both, ops.stack([expected, expected]), { tolerance: ROUNDED, size: ops.stack([size, size]) });
          }
        }),
        { numRuns: 200 },
      );
    });

    test("of batches", () => {
      fc.assert(
        fc.property(products, fc.integer({ min: 0, max: 3 }), ({ M, K, N, transposeA, transposeB, right }, count) => {
          const small = (length: number) => Math.min(length, 17);
          const a = floats(shaped(small(M), small(K), transposeA, [count]));
          const b = floats(shaped(small(K), small(N), transposeB, right === "captured" ? [] : [count]), -1, 1, 5);
          const f = (a: Tensor, b: Tensor) => ops.matmul(a, b, { transposeA, transposeB });
          const g = compiled((a: Tensor) => [f(a, b), ops.tanh(f(a, b))]);
          const size = f(ops.abs(a), ops.abs(b));
          expectNear(compiled(f)(a, b), f(a, b), { tolerance: ROUNDED, size });
          expectNear(g(a)[0] as Tensor, f(a, b), { tolerance: ROUNDED, size });
        }),
        { numRuns: 60 },
      );
    });

    test("of constants packed while compiling, read in loops inside loops", () => {
      const weight = floats([33, 33], -0.2, 0.2);
      const f = (h: Tensor, xs: Tensor) =>
        scan(
          (h: Tensor, x: Tensor) => {
            const inner = (g: Tensor) => [ops.tanh(linear(g, weight, x)), g] as const;
            const [last, all] = scan(inner, h, [], { length: 3 });
            return [ops.matmul(last, weight), all];
          },
          h,
          xs,
        );
      const [h, xs] = [floats([6, 33]), floats([4, 33])];
      expectClose(compiled(f)(h, xs), f(h, xs), COMPOSED);
    });

    test("of long rows by constants", () => {
      const weight = floats([2100, 35], -1, 1, 4);
      const x = floats([30, 2100]);
      const f = (x: Tensor) => ops.matmul(x, weight);
      expectNear(compiled(f)(x), f(x), { tolerance: ROUNDED, size: ops.matmul(ops.abs(x), ops.abs(weight)) });
    });

    test("of an argument that changes between runs", () => {
      const f = compiled((x: Tensor, w: Tensor) => ops.matmul(x, w, { transposeB: true }));
      const [x, w] = [floats([5, 9]), floats([7, 9])];
      for (let k = 0; k < 3; k++) {
        (w.data as Float32Array)[k] = k;
        const expected = ops.matmul(x, w, { transposeB: true });
        expectNear(f(x, w), expected, { tolerance: ROUNDED, size: ops.fill([5, 7], 9) });
      }
    });
  });

  // ----------------------------------------------------------------------------------------------------------- loops

  describe(`${name}: loops`, () => {
    test("of random steps give what the reference gives", () => {
      fc.assert(
        fc.property(loops, (loop) => {
          const { f, carry, xs, weight } = loop;
          const run = compiled(f);
          const expected = f(carry, xs, weight);
          expectClose(run(carry, xs, weight), expected, COMPOSED);
          expectClose(run(carry, xs, weight), expected, COMPOSED);
        }),
        { numRuns: 200 },
      );
    });

    test("have the gradients that the reference has", () => {
      fc.assert(
        fc.property(loops, (loop) => {
          const gradients = (given: readonly [Tensor[], Tensor, Tensor]) =>
            grad(([carry, xs, weight]: typeof given) => lossOf(loop)(carry, xs, weight))(given);
          const given = [loop.carry, loop.xs, loop.weight] as const;
          expectClose(compiled(gradients)(given), gradients(given), COMPOSED);
        }),
        { numRuns: 60 },
      );
    });

    test("may take over their carry", () => {
      fc.assert(
        fc.property(loops, ({ f, carry, xs, weight }) => {
          const copies = mapTensors(copyOf, carry);
          expectClose(compiled(f, { donate: [0] })(copies, xs, weight), f(carry, xs, weight), COMPOSED);
        }),
        { numRuns: 60 },
      );
    });

    // Of whole vectors and not, of one row, of narrow rows, of a batch in a batch, and of rows that do not fit into the cache.
    test.each([[[6, 50]], [[300]], [[1, 300]], [[70, 7]], [[3, 5, 33]], [[64, 700]]])(
      "add the gradients of gains and shifts up while they run: steps of %j",
      (shape) => {
        const [row, width] = [shape.slice(-1), shape.at(-1) as number];
        const f = (params: Record<"gain" | "shift" | "number", Tensor>, xs: Tensor) => {
          const start = ops.zeros(shape);
          const step = (h: Tensor, x: Tensor): [Tensor, Tensor] => {
            const shown = ops.add(ops.multiply(standardize(ops.add(h, x)), params.gain), params.shift);
            const next = ops.tanh(ops.multiply(shown, params.number));
            return [next, next];
          };
          const [, outputs] = scan(step, start, xs);
          return ops.divide(ops.sum(ops.multiply(outputs, xs)), width);
        };
        const params = {
          gain: floats(row, 0.5, 2),
          shift: floats(row, -1, 1, 4),
          number: floats([...shape.slice(0, -1), 1], -1, 1, 5),
        };
        const xs = floats([5, ...shape], -2, 2, 6);
        const run = compiled(valueAndGrad(f));
        const expected = valueAndGrad(f)(params, xs);
        expectClose(run(params, xs), expected, COMPOSED);
        expectClose(run(params, xs), expected, COMPOSED);
      },
    );

    test("draw random numbers, read and write tables, and move windows", () => {
      const f = (table: Tensor, indices: Tensor, key: Tensor) =>
        scan(
          ({ table, memory, key, count }, k: Tensor) => {
            const next = ops.foldIn(key, count);
            const noise = ops.uniform(next, [4, 3]);
            const rows = ops.gather(table, k);
            const kept = ops.select(ops.bernoulli(ops.at(ops.stack(ops.splitKey(next)), 1), 0.5, [4, 3]), rows, noise);
            const window = ops.expandDims(ops.argmax(kept), 0);
            const carry = {
              table: ops.scatterAdd(table, k, kept),
              memory: ops.dynamicUpdate(memory, window, count),
              key: next,
              count: ops.add(count, 1),
            };
            return [carry, { kept, seen: ops.dynamicSlice(memory, count, 2), old: table }];
          },
          { table, memory: ops.zeros([5, 4], "int32"), key, count: ops.zeros([], "int32") },
          indices,
        );
      const [table, indices] = [floats([6, 3]), wholes([7, 4], 0, 5)];
      const key = ops.randomKey(5);
      expectSame(compiled(f)(table, indices, key), f(table, indices, key));
    });

    const leaky: Cell<{ weight: Tensor; decay: Tensor }, { h: Tensor; count: Tensor }> = {
      inputSize: 3,
      outputSize: 7,
      init: (key) => ({ weight: uniformInit(0.4)(key, [7, 10]), decay: floats([7], 0.1, 0.9) }),
      initialCarry: (batch) => ({ h: ops.zeros([batch, 7]), count: ops.zeros([batch], "int32") }),
      step: ({ weight, decay }, { h, count }, x) => {
        const proposal = ops.tanh(linear(ops.concatenate([x, h]), weight));
        const next = ops.add(ops.multiply(h, decay), ops.multiply(proposal, ops.subtract(1, decay)));
        return [
          { h: next, count: ops.add(count, 1) },
          ops.multiply(next, ops.expandDims(ops.cast(count, "float32"), 1)),
        ];
      },
    };
    const size = { inputSize: 3, hiddenSize: 7 };
    const cells: Readonly<Record<string, Cell<never, never>>> = {
      elman: elman(size) as Cell<never, never>,
      lstm: lstm(size) as Cell<never, never>,
      gru: gru(size) as Cell<never, never>,
      gruResetBefore: gruResetBefore(size) as Cell<never, never>,
      "a user's": leaky as Cell<never, never>,
    };
    const ofEachCell = Object.entries(cells).flatMap(([name, cell]) => [
      [name, 5, cell] as const,
      [name, 37, cell] as const,
    ]);
    test.each(ofEachCell)("of the cell %s have its outputs and gradients, in batches of %d", (_, batch, cell) => {
      const time = 7;
      const xs = floats([time, batch, 3]);
      for (const [settings, options] of [
        [{}, {}],
        [{ reverse: true }, { mask: wholes([time, batch], 0, 1) }],
        [{ checkpoint: 3 }, { sequenceLengths: filled("int32", [batch], (k) => [0, 7, 1, 3, 6][k % 5] as number) }],
        [
          { reverse: true, checkpoint: 2 },
          { resetMask: wholes([time, batch], 0, 1, 3), mask: wholes([time, batch], 0, 1, 1) },
        ],
      ] as const) {
        const layer = recurrent(cell as Cell<TensorTree, TensorTree>, settings);
        const params = layer.init(ops.randomKey(3));
        const all = (params: TensorTree, xs: Tensor) => {
          const loss = ([params, xs]: readonly [TensorTree, Tensor]) => {
            const { outputs, carry } = layer.apply(params, xs, options);
            return [ops.mean(ops.square(ops.add(outputs, 0.1))), { outputs, carry }] as const;
          };
          const { value, gradient, extra } = valueAndGrad(loss)([params, xs] as const);
          return { value, gradient: gradient as unknown as TensorTree, extra };
        };
        expectClose(compiled(all)(params, xs), all(params, xs), COMPOSED);
      }
    });

    test.each(["elman", "lstm", "gru"])(
      "of the cell %s give a sequence the same bits in a batch of any size",
      (cellName) => {
        // Products of 16 rows and more join inputs and carry.
        const [time, batch] = [6, 18];
        const layer = recurrent(cells[cellName] as Cell<TensorTree, TensorTree>);
        const params = layer.init(ops.randomKey(3));
        const apply = compiled((params: TensorTree, xs: Tensor) => layer.apply(params, xs).outputs);
        const xs = floats([time, batch, 3]);
        const together = apply(params, xs);
        for (const [start, end] of [
          [0, 1],
          [4, 9],
          [1, 18],
        ] as const) {
          const [some, expected] = [xs, together].map((x) => ops.slice(x, 1, start, end)) as [Tensor, Tensor];
          expectSame(apply(params, some), expected);
        }
      },
    );
  });

  // ---------------------------------------------------------------------------------------------------------- memory

  describe(`${name}: memory`, () => {
    const step = (w: Tensor, x: Tensor): readonly [Tensor, Tensor] => [
      ops.subtract(w, ops.multiply(x, 0.1)),
      ops.sum(ops.multiply(w, x)),
    ];

    test("results of plain calls are their own", () => {
      const f = compiled((x: Tensor) => [ops.exp(x), x, ops.reshape(x, [7, 1])]);
      const x = floats([7]);
      const first = f(x);
      const expected = mapTensors(copyOf, first);
      const second = f(floats([7], 1, 2, 4));
      expectSame(first, expected);
      const buffers = [...first, ...second, x].map(({ data }) => data.buffer);
      expect(new Set(buffers).size).toBe(7);
    });

    test("donated arguments are updated where they are", () => {
      const f = compiled(step, { donate: [0] });
      let w: Tensor = floats([33]);
      let wanted: Tensor = copyOf(w);
      const x = floats([33], -1, 1, 2);
      const memory = w.data;
      for (let k = 0; k < 4; k++) {
        const [nextWanted, loss] = step(wanted, x);
        const [next, found] = f(w, x);
        expectNear(next, nextWanted, { tolerance: ROUNDED, size: ops.fill([33], 3) });
        expectNear(found, loss, { tolerance: ROUNDED, size: ops.fill([], 66) });
        [w, wanted] = [next, nextWanted];
      }
      expect(w.data).toBe(memory);
    });

    test("a bound call goes on from what the run before left, and reads what is new", () => {
      const [w, x] = [floats([17]), floats([17], -1, 1, 2)];
      const run = compiled(step, { donate: [0] }).bind(w, x);
      let wanted: Tensor = copyOf(w);
      for (let k = 0; k < 5; k++) {
        x.data[3] = k;
        const [next, loss] = step(wanted, x);
        const found = run();
        expect(found[0].data).toBe(w.data);
        expectNear(found[1], loss, { tolerance: ROUNDED, size: ops.fill([], 70) });
        expectNear(w, next, { tolerance: ROUNDED, size: ops.fill([17], 3) });
        wanted = copyOf(w);
      }
    });

    test("bound and plain calls of one function do not disturb each other", () => {
      const f = compiled((x: Tensor, y: Tensor) => ops.tanh(ops.add(ops.multiply(x, y), 1)));
      const [a, b, c] = [floats([7]), floats([7], 1, 2), floats([7], -1, 0)];
      const [ab, ba] = [f.bind(a, b), f.bind(b, a)];
      const first = copyOf(ab());
      const other = copyOf(f(a, c));
      expectSame(ab(), first);
      expectSame(ba(), first);
      expectSame(f(a, c), other);
      expectSame(ab(), first);
      expect(ab().data).toBe(ab().data);
      expect(ab().data).not.toBe(ba().data);
    });

    test("one tensor may be given twice", () => {
      const x = floats([7]);
      expectSame(compiled((a: Tensor, b: Tensor) => ops.add(a, b))(x, x), ops.add(x, x));
      const expected = [ops.add(x, 1), ops.add(x, 2)];
      const f = compiled(([a, b]: readonly [Tensor, Tensor]) => [ops.add(a, 1), ops.add(b, 2)], { donate: [0] });
      expectSame(f([x, x]), expected);
    });

    test("a tensor that the function reads from outside is not changed when it is donated", () => {
      const start = floats([7]);
      const f = (w: Tensor) => {
        const next = ops.add(w, 1);
        return [next, ops.sum(ops.multiply(next, start)), ops.multiply(ops.sum(next), start)];
      };
      const expected = f(start);
      const donating = compiled(f, { donate: [0] });
      expectClose(donating(start), expected, ROUNDED);
      expectClose(donating(copyOf(start)), expected, ROUNDED);
      expectSame(start, floats([7]));
    });

    test("that there is not is an error", () => {
      const size = 2 ** 24;
      const wide = (x: Tensor) => ops.broadcastTo(x, [size, size]);
      const f = compiled((x: Tensor) => ops.sum(ops.matmul(wide(x), wide(ops.exp(x)))));
      expect(() => f(floats([]))).toThrow(MemoryError);
      expect(() => f(floats([]))).toThrow(/use smaller batches/);
    });

    test("parts of one buffer may be given", () => {
      const whole = floats([64]);
      const part = (from: number) =>
        new HostTensor({ dtype: "float32", shape: [9] }, (whole.data as Float32Array).subarray(from, from + 9));
      const f = (a: Tensor, b: Tensor) => ops.multiply(ops.add(a, 1), b);
      expectSame(compiled(f)(part(1), part(6)), f(part(1), part(6)));
    });

    const given = (x: HostTensor) => structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });

    test("memory that was given away is an error, and the function still runs", () => {
      const f = compiled((x: Tensor, n: Tensor) => ops.add(x, ops.cast(n, "float32")));
      const [x, n] = [floats([7]), wholes([7])];
      const expected = f(x, n);
      const lost = floats([7]);
      given(lost);
      expect(() => f(lost, n)).toThrow(MemoryError);
      expect(() => f(lost, n)).toThrow(/float32\[7\].*given away/);
      const lostWhole = wholes([7]);
      given(lostWhole);
      expect(() => f(x, lostWhole)).toThrow(/int32\[7\].*given away/);
      expectSame(f(x, n), expected);
    });

    test("a bound call whose memory was given away is an error", () => {
      const f = compiled((x: Tensor) => ops.add(x, 1));
      const x = floats([7]);
      const run = f.bind(x);
      run();
      given(x);
      expect(run).toThrow(MemoryError);
      expect(run).toThrow(MemoryError);
    });

    test("a bound call whose results were given away is an error", () => {
      const run = compiled((x: Tensor) => [ops.add(x, 1), ops.sum(x)]).bind(floats([7]));
      given((run() as HostTensor[])[0] as HostTensor);
      expect(run).toThrow(MemoryError);
    });

    test("of empty tensors is not missed", () => {
      const f = compiled((x: Tensor) => [ops.sum(x), ops.add(x, 1)]);
      const [total, more] = f(floats([0, 3])) as [Tensor, Tensor];
      expect(total.data[0]).toBe(0);
      expect(more.shape).toEqual([0, 3]);
    });

    test("that a Plan needs is there as long as its function", () => {
      const functions = Array.from({ length: 30 }, (_, k) => {
        const constant = floats([9, 9], -1, 1, k);
        return compiled((x: Tensor) => ops.add(ops.matmul(ops.add(x, constant), constant), k));
      });
      const x = floats([9, 9]);
      const bound = functions.map((f) => f.bind(copyOf(x)));
      const expected = functions.map((f) => f(x));
      for (let round = 0; round < 3; round++) {
        collectGarbage();
        Array.from({ length: 300 }, (_, k) => floats([81], 5, 6, k)); // takes what was given back
        expectSame(
          bound.map((run) => run()),
          expected,
        );
        expectSame(
          functions.map((f) => f(x)),
          expected,
        );
      }
    });

    test("does not grow while a bound step runs", () => {
      const [w, x] = [floats([33]), floats([33], -1, 1, 2)];
      const run = compiled(step, { donate: [0] }).bind(w, x);
      const used = () => {
        collectGarbage();
        const { heapUsed, external, arrayBuffers } = process.memoryUsage();
        return heapUsed + external + arrayBuffers;
      };
      for (let k = 0; k < 2000; k++) run();
      const before = used();
      for (let k = 0; k < 10_000; k++) run();
      // Results of 10 000 runs would be 14 MB of memory and as many objects.
      expect(used() - before).toBeLessThan(8e6);
    });
  });

  // ---------------------------------------------------------------------------------------------------------- errors

  describe(`${name}: errors`, () => {
    const table = () => floats([4, 3]);
    const outside = (rows: number) => new RegExp(`there is no row ${rows}; the table has 4 rows`);

    test.each([-1, 4, 2147483647, -2147483648])("row %i is outside a table of 4 rows", (row) => {
      const read = compiled((t: Tensor, k: Tensor) => ops.tanh(ops.gather(t, k)));
      const write = compiled((t: Tensor, k: Tensor, more: Tensor) => ops.scatterAdd(t, k, more));
      const writeWhole = compiled((k: Tensor, more: Tensor) => ops.scatterAdd(ops.zeros([4], "int32"), k, more));
      const inside = wholes([3], 0, 3);
      const wrong = filled("int32", [3], (k) => (k === 1 ? row : 0));
      const more = floats([3, 3]);
      const expected = [read(table(), inside), write(table(), inside, more), writeWhole(inside, inside)];
      for (let k = 0; k < 2; k++) {
        expect(() => read(table(), wrong)).toThrow(ShapeError);
        expect(() => read(table(), wrong)).toThrow(outside(row));
        expect(() => write(table(), wrong, more)).toThrow(ShapeError);
        expect(() => write(table(), wrong, more)).toThrow(outside(row));
        expect(() => writeWhole(wrong, inside)).toThrow(outside(row));
        expectSame([read(table(), inside), write(table(), inside, more), writeWhole(inside, inside)], expected);
      }
    });

    test("a row outside inside a loop inside a loop", () => {
      const f = (t: Tensor, k: Tensor) =>
        scan(
          (total: Tensor, row: Tensor) =>
            scan((sum: Tensor, one: Tensor) => [ops.add(sum, ops.gather(t, one)), []], total, row),
          ops.zeros([3]),
          k,
        )[0];
      const run = compiled(f);
      const right = wholes([2, 5], 0, 3);
      const wrong = filled("int32", [2, 5], (k) => (k === 7 ? 9 : 1));
      expectClose(run(table(), right), f(table(), right), COMPOSED);
      expect(() => run(table(), wrong)).toThrow(outside(9));
      expectClose(run(table(), right), f(table(), right), COMPOSED);
    });

    test("of a table without rows or columns are the reference's", () => {
      const one = filled("int32", [1], () => 0);
      const five = filled("int32", [1], () => 5);
      const cases: [f: (...x: Tensor[]) => Tensor, inputs: Tensor[]][] = [
        [(t, k) => ops.gather(t as Tensor, k as Tensor), [floats([0, 3]), one]],
        [(t, k) => ops.gather(t as Tensor, k as Tensor), [floats([4, 0]), five]],
        [(t, k, r) => ops.scatterAdd(t as Tensor, k as Tensor, r as Tensor), [floats([0, 3]), one, floats([1, 3])]],
        [(t, k, r) => ops.scatterAdd(t as Tensor, k as Tensor, r as Tensor), [floats([4, 0]), five, floats([1, 0])]],
      ];
      cases.forEach(([f, inputs], k) => {
        expect(() => f(...inputs), `case ${k}`).toThrow(ShapeError);
        expect(() => compiled((all: Tensor[]) => f(...all))(inputs), `case ${k}, compiled`).toThrow(ShapeError);
      });
    });
  });

  // -------------------------------------------------------------------------------------------------------- together

  describe(`${name}: calls together`, () => {
    const weight = floats([9, 9], -0.5, 0.5);
    const f = (h: Tensor, xs: Tensor) => {
      const [last, all] = scan((h: Tensor, x: Tensor) => [ops.tanh(linear(h, weight, x)), ops.square(h)], h, xs);
      return { last, all, loss: ops.sum(all) };
    };
    const args = (k: number): [Tensor, Tensor] => [floats([4, 9], -1, 1, 10 * k), floats([5, 9], -1, 1, 10 * k + 3)];

    test("give the bits of single calls, for any number of threads", () => {
      const single = compiled(f);
      for (const threads of [1, 2, 3]) {
        const together = compileTogether(f, { kernels, threads });
        expect(together([])).toEqual([]);
        for (const count of [1, 2, 3, 4, 2]) {
          const calls = Array.from({ length: count }, (_, k) => args(k + count));
          expectSame(
            together(calls),
            calls.map((call) => single(...call)),
          );
          // The same memory, with other arguments.
          const others = calls.toReversed();
          const results = together(others);
          expectSame(
            results,
            others.map((call) => single(...call)),
          );
          expect(new Set(results.flatMap((one) => [one.last.data, one.all.data, one.loss.data])).size).toBe(3 * count);
        }
        const same = args(1);
        expectSame(together([same, same]), [single(...same), single(...same)]);
      }
    });

    test("of several types are told apart", () => {
      const together = compileTogether((x: Tensor) => ops.sum(ops.tanh(x)), { kernels, threads: 2 });
      const [small, large] = [floats([3]), floats([5])];
      const single = compiled((x: Tensor) => ops.sum(ops.tanh(x)));
      for (const x of [small, large, small]) expectSame(together([[x], [x]]), [single(x), single(x)]);
      expect(() => together([[small], [large]])).toThrow(TraceError);
    });

    test("report the first that went wrong, and run again", () => {
      for (const threads of [1, 2, 3]) {
        const together = compileTogether((t: Tensor, k: Tensor) => ops.gather(t, k), { kernels, threads });
        const call = (row: number): [Tensor, Tensor] => [
          floats([4, 3]),
          filled("int32", [2], (k) => (k === 0 ? row : 1)),
        ];
        const right = [0, 1, 2, 3].map(call);
        const expected = mapTensors(copyOf, together(right));
        expect(() => together([0, 8, 9, 1].map(call))).toThrow(/no row 8; the table has 4 rows/);
        expect(() => together([0, 8, 9, 1].map(call))).toThrow(ShapeError);
        expectSame(together(right), expected);
        const lost = call(1);
        given(lost[0] as HostTensor);
        expect(() => together([call(0), lost])).toThrow(MemoryError);
        expectSame(together(right), expected);
      }
    });

    test("that come later are the same, and fail the same way", async () => {
      const single = compiled(f);
      for (const threads of [1, 2, 3]) {
        const together = compileTogether(f, { kernels, threads });
        expect(await together.later([])).toEqual([]);
        for (const count of [1, 4, 2, 3]) {
          const [shared] = args(count);
          const calls = Array.from({ length: count }, (_, k): [Tensor, Tensor] => [shared, args(k)[1]]);
          const expected = calls.map((call) => single(...call));
          expectSame(await together.later(calls), expected);
          expectSame(together(calls), expected);
        }
        together.end();
        const gathered = compileTogether((t: Tensor, k: Tensor) => ops.gather(t, k), { kernels, threads });
        const call = (row: number): [Tensor, Tensor] => [floats([4, 3]), filled("int32", [2], () => row)];
        await expect(gathered.later([0, 8, 9, 1].map(call))).rejects.toThrow(/no row 8; the table has 4 rows/);
        await expect(gathered.later([0, 1, 9, 8].map(call))).rejects.toThrow(ShapeError);
        const lost = call(1);
        given(lost[0] as HostTensor);
        await expect(gathered.later([call(0), lost])).rejects.toThrow(MemoryError);
        const right = [0, 1, 2, 3].map(call);
        expectSame(
          await gathered.later(right),
          right.map(([t, k]) => ops.gather(t, k)),
        );
        gathered.end();
      }
    });

    const given = (x: HostTensor) => structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
  });

  // -------------------------------------------------------------------------------------------------------- training

  describe(`${name}: training`, () => {
    const learnText = async (chosen: Kernels): Promise<{ losses: number[]; params: TensorTree }> => {
      const tokens = Int32Array.from({ length: 400 }, (_, k) => (k * k + (k >> 2)) % 11);
      const model = languageModel({ vocabularySize: 11, hiddenSize: 12 });
      const stream = textStream(tokens, { batchSize: 4, windowLength: 9 });
      const run = {
        problem: model.problem,
        optimizer: adam({ learningRate: 0.01 }),
        method: truncatedBptt(),
        batch: (update: number) => stream.window(update),
        transforms: [clipByNorm(1)],
        kernels: chosen,
      };
      const key = ops.randomKey(1);
      const losses: number[] = [];
      let state = initialState({ ...run, params: model.init(ops.foldIn(key, 0)), key: ops.foldIn(key, 1) });
      for await (const report of train({ ...run, state, steps: 30 })) {
        losses.push(report.loss);
        state = report.state;
      }
      return { losses, params: state.params };
    };

    const learnToy = async (chosen: Kernels, shared = {}): Promise<{ losses: number[]; params: TensorTree }> => {
      const run = {
        problem: toyProblem(0.1),
        optimizer: adam({ learningRate: 0.01 }),
        method: truncatedBptt({ truncationLength: 4 }),
        batch: (update: number) => toyWindow(6 * update, 6 * update + 6, "float32"),
        kernels: chosen,
        ...shared,
      };
      const losses: number[] = [];
      let state = initialState({ ...run, params: toyParams("float32"), key: ops.randomKey(2) });
      for await (const report of train({ ...run, state, steps: 30 })) {
        losses.push(report.loss);
        state = report.state;
      }
      return { losses, params: state.params };
    };

    test.each([
      ["a language model", learnText],
      ["a toy problem, with dropout", learnToy],
    ])("of %s follows the reference, and is the same every time", async (_, learn) => {
      const reference = await learn(referenceKernels);
      const [first, second] = [await learn(kernels), await learn(kernels)];
      expect(reference.losses.length).toBe(30);
      reference.losses.forEach((loss, k) => {
        expect(Math.abs((first.losses[k] as number) - loss) / loss, `update ${k}`).toBeLessThan(1e-4);
      });
      expect(second.losses).toEqual(first.losses);
      expectSame(second.params, first.params);
    });

    test("in two shards does not depend on the number of threads", async () => {
      const [one, two] = [await learnToy(kernels, { shards: 2 }), await learnToy(kernels, { shards: 2, threads: 2 })];
      expect(two.losses).toEqual(one.losses);
      expectSame(two.params, one.params);
    });
  });
}

/** Names the case in which something fails, where one test has many. */
function runNamed(about: string, body: () => void): void {
  try {
    body();
  } catch (error) {
    if (error instanceof Error) error.message = `${about}: ${error.message}`;
    throw error;
  }
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const copyOf = (x: Tensor): HostTensor => new HostTensor(x, x.data.slice());
