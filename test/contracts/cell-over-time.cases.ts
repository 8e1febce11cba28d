/** What every cell must do over time: on all kernels, in ragged and packed batches, and in pieces. Called by `runCellCases`. */

import { describe, expect, test } from "vitest";
import { type Cell, type RecurrentOptions, recurrent } from "../../src/nn/index.js";
import { findKernels, KERNEL_NAMES } from "../../src/node/kernels.js";
import { add, at, concatenate, pad, sin, slice, square, sum } from "../../src/ops/index.js";
import { compile } from "../../src/runtime/index.js";
import { type FloatDType, isFloat, mapTensors, type Tensor } from "../../src/tensor/index.js";
import { valueAndGrad } from "../../src/transforms/index.js";
import { expectClose, int32, numbers } from "../close.js";
import { TOLERANCES } from "../tolerances.js";

type Tensors = Readonly<Record<string, Tensor>>;

/** A cell of 3 inputs, with random parameters and carries. */
export interface CellOverTimeCase {
  readonly name: string;
  readonly cell: Cell<Tensors, Tensors>;
  readonly params: (dtype: FloatDType) => Tensors;
  readonly carry: (batch: number, dtype: FloatDType) => Tensors;
}

/** Some ten roundings to float32 in each of six steps, and sums over steps and batch in the gradients. */
const FLOAT32 = 1e-5;
const [TIME, BATCH] = [6, 4];

const partsOf = (carry: Tensors, float: boolean): Tensors =>
  Object.fromEntries(Object.entries(carry).filter(([, { dtype }]) => isFloat(dtype) === float));
const rowOf = (xs: Tensor, row: number): Tensor => slice(xs, 1, row, row + 1);

export function runCellOverTimeCases({ name, cell, params, carry }: CellOverTimeCase): void {
  const layer = recurrent(cell);

  /** Outputs, last carry, and the gradients of a loss that is a sum over all numbers of both. */
  const learn = (all: Tensors, start: Tensors, xs: Tensor, options: RecurrentOptions<Tensors> = {}) => {
    const point = { params: all, start: partsOf(start, true), xs };
    const loss = (here: typeof point): readonly [Tensor, { outputs: Tensor; carry: Tensors }] => {
      const from = { ...partsOf(start, false), ...here.start };
      const { outputs, carry: last } = layer.apply(here.params, here.xs, { ...options, carry: from });
      const parts = Object.values(partsOf(last, true)).map((part) => sum(sin(part)));
      return [parts.reduce(add, sum(square(outputs))), { outputs, carry: last }];
    };
    const { gradient, extra } = valueAndGrad(loss)(point);
    return { outputs: extra.outputs, carry: extra.carry, gradient };
  };
  type Learned = ReturnType<typeof learn>;

  /** What runs of single rows give, as one batch of TIME steps. */
  const together = (runs: readonly Learned[]): Learned => {
    const [first, ...others] = runs.map(({ outputs, carry: last, gradient }) => {
      const whole = (xs: Tensor) => pad(xs, 0, 0, TIME - xs.shape[0]!);
      return { outputs: whole(outputs), carry: last, gradient: { ...gradient, xs: whole(gradient.xs) } };
    });
    return others.reduce(
      (a, b) => ({
        outputs: concatenate([a.outputs, b.outputs], 1),
        carry: mapTensors((x, y) => concatenate([x, y], 0), a.carry, b.carry),
        gradient: {
          params: mapTensors(add, a.gradient.params, b.gradient.params),
          start: mapTensors((x, y) => concatenate([x, y], 0), a.gradient.start, b.gradient.start),
          xs: concatenate([a.gradient.xs, b.gradient.xs], 1),
        },
      }),
      first as Learned,
    );
  };

  describe(`${name} over time`, () => {
    const [all, start] = [params("float64"), carry(BATCH, "float64")];
    const xs = numbers(60, [TIME, BATCH, 3]);
    const startOf = (row: number) => mapTensors((part) => slice(part, 0, row, row + 1), start);

    for (const kernelName of KERNEL_NAMES) {
      const found = findKernels(kernelName);
      if ("reason" in found) {
        test.skip(`on the ${kernelName} kernels: ${found.reason}`, () => {});
        continue;
      }
      test(`gives on the ${kernelName} kernels what the plain loop gives: outputs, last carries and gradients`, () => {
        const given = [params("float32"), carry(BATCH, "float32"), numbers(60, [TIME, BATCH, 3], "float32")] as const;
        const options = {
          sequenceLengths: int32([6, 3, 0, 5]),
          resetMask: int32(
            Array.from({ length: TIME * BATCH }, (_, k) => (k % 7 === 3 ? 1 : 0)),
            [TIME, BATCH],
          ),
        };
        const run = compile((...args: [Tensors, Tensors, Tensor]) => learn(...args, options), found);
        expect(run.kernels(...given)).toBe(found.kernels);
        expectClose(run(...given), learn(...given, options), FLOAT32);
      });
    }

    test("gives a ragged batch what its sequences give alone: outputs, last carries and gradients", () => {
      const lengths = [0, 1, TIME, 4];
      const alone = lengths.map((length, row) => learn(all, startOf(row), slice(rowOf(xs, row), 0, 0, length)));
      const ragged = learn(all, start, xs, { sequenceLengths: int32(lengths) });
      expectClose(ragged, together(alone), TOLERANCES.float64);
    });

    test("gives in one long run what it gives in two chunks, and step by step", () => {
      const whole = layer.apply(all, xs, { carry: start });
      const head = layer.apply(all, slice(xs, 0, 0, 2), { carry: start });
      const tail = layer.apply(all, slice(xs, 0, 2), { carry: head.carry });
      const chunks = { outputs: concatenate([head.outputs, tail.outputs], 0), carry: tail.carry };
      expectClose(chunks, { outputs: whole.outputs, carry: whole.carry }, TOLERANCES.float64);
      let now = start;
      for (let t = 0; t < TIME; t++) {
        const [next, y] = cell.step(all, now, at(xs, t));
        expectClose(y, at(whole.outputs, t), TOLERANCES.float64);
        now = next;
      }
      expectClose(now, whole.carry, TOLERANCES.float64);
    });

    test("starts a fresh sequence in a row where resetMask is 1", () => {
      const firsts = [[0, 3], [2], [], [0, 1, 5]];
      const resetMask = int32(
        Array.from({ length: TIME * BATCH }, (_, k) => (firsts[k % BATCH]!.includes(Math.floor(k / BATCH)) ? 1 : 0)),
        [TIME, BATCH],
      );
      const packed = layer.apply(all, xs, { carry: start, resetMask });
      firsts.forEach((from, row) => {
        const cuts = [...new Set([0, ...from, TIME])];
        const pieces = cuts.slice(1).map((end, index) => {
          const begin = cuts[index]!;
          const own = from.includes(begin) ? cell.initialCarry(1, "float64") : startOf(row);
          return layer.apply(all, slice(rowOf(xs, row), 0, begin, end), { carry: own });
        });
        const outputs = concatenate(
          pieces.map((piece) => piece.outputs),
          0,
        );
        expectClose(rowOf(packed.outputs, row), outputs, TOLERANCES.float64);
        const last = mapTensors((part) => slice(part, 0, row, row + 1), packed.carry);
        expectClose(last, pieces.at(-1)!.carry, TOLERANCES.float64);
      });
    });
  });
}
