/** Cells over time: weights shared by all steps, order, ragged batches, padding, restarts. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, largestError, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { ShapeError } from "../../core/index.js";
import { add, at, concatenate, fill, randomKey, reverse, select, slice, square, sum, zeros } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { sizeOf, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";
import { grad, valueAndGrad } from "../../transforms/index.js";
import { bidirectional, elman, gru, gruResetBefore, lstm, type RecurrentLayer, recurrent, stacked } from "../index.js";

type AnyLayer = RecurrentLayer<TensorTree, TensorTree>;

/** Layers with 3 features in. */
const LAYERS = {
  elman: recurrent(elman({ inputSize: 3, hiddenSize: 4 })),
  lstm: recurrent(lstm({ inputSize: 3, hiddenSize: 4 })),
  gru: recurrent(gru({ inputSize: 3, hiddenSize: 4 })),
  gruResetBefore: recurrent(gruResetBefore({ inputSize: 3, hiddenSize: 4 })),
  "reverse lstm": recurrent(lstm({ inputSize: 3, hiddenSize: 4 }), { reverse: true }),
  "bidirectional gru": bidirectional(gru({ inputSize: 3, hiddenSize: 4 })),
  "stacked lstm": stacked([
    recurrent(lstm({ inputSize: 3, hiddenSize: 4 })),
    recurrent(lstm({ inputSize: 4, hiddenSize: 2 })),
  ]),
  "stacked bidirectional gru": stacked([
    bidirectional(gru({ inputSize: 3, hiddenSize: 2 })),
    bidirectional(gru({ inputSize: 4, hiddenSize: 3 })),
  ]),
} as unknown as Record<string, AnyLayer>;

const columns = (x: Tensor, from: number, to: number): Tensor => slice(x, 1, from, to);
const rowsOf = (carry: TensorTree, row: number): Tensor[] =>
  tensorsByPath(carry).map(([, part]) => slice(part, 0, row, row + 1));
const leaves = (tree: TensorTree): Tensor[] => tensorsByPath(tree).map(([, leaf]) => leaf);

describe.each(Object.entries(LAYERS))("%s over time", (_, layer) => {
  const params = layer.init(randomKey(1), "float64");

  test("has parameters that do not depend on the number of steps, and runs 7 and 700 steps with them", () => {
    for (const time of [7, 700]) {
      const { outputs } = layer.apply(params, numbers(1, [time, 2, 3]));
      expect(outputs.shape).toEqual([time, 2, layer.outputSize]);
      expect(outputs.data.every((value) => Number.isFinite(value) && Math.abs(value) < 1)).toBe(true);
    }
  });

  test("gives a ragged batch what its sequences give alone, outputs, carries and gradients", () => {
    const lengths = [3, 7, 5];
    const xs = numbers(1, [7, 3, 3]);
    const energy = (outputs: Tensor, carry: TensorTree): Tensor =>
      leaves(carry).reduce((total, part) => add(total, sum(part)), sum(square(outputs)));
    const together = layer.apply(params, xs, { sequenceLengths: int32(lengths) });
    const wholeGradient = grad((p: TensorTree) => {
      const { outputs, carry } = layer.apply(p, xs, { sequenceLengths: int32(lengths) });
      return energy(outputs, carry);
    })(params);
    const gradients = lengths.map((length, row) => {
      const own = slice(columns(xs, row, row + 1), 0, 0, length);
      const alone = layer.apply(params, own);
      const outputs = columns(together.outputs, row, row + 1);
      expectClose(slice(outputs, 0, 0, length), alone.outputs, TOLERANCES.float64);
      expect(slice(outputs, 0, length).data.every((value) => value === 0)).toBe(true);
      expectClose(rowsOf(together.carry, row), leaves(alone.carry), TOLERANCES.float64);
      return grad((p: TensorTree) => {
        const { outputs: ys, carry } = layer.apply(p, own);
        return energy(ys, carry);
      })(params);
    });
    const added = leaves(gradients[0]!).map((first, index) =>
      add(add(first, leaves(gradients[1]!)[index]!), leaves(gradients[2]!)[index]!),
    );
    expectClose(leaves(wholeGradient), added, TOLERANCES.float64);
  });

  test("is not influenced by padding, NaN and infinity included, in outputs and in gradients", () => {
    const clean = numbers(1, [4, 3, 3]);
    const mask = int32([1, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0], [4, 3]);
    const padding = select(
      int32(Array.from(mask.data), [4, 3, 1]),
      zeros([4, 3, 3], "int32"),
      fill([4, 3, 3], 1, "int32"),
    );
    const options = [{ mask }, { sequenceLengths: int32([2, 0, 4]) }];
    for (const [index, option] of options.entries()) {
      const isPadding =
        index === 0
          ? padding
          : int32(
              Array.from({ length: 36 }, (_, k) => ragged(k)),
              [4, 3, 3],
            );
      const run = (p: TensorTree, xs: Tensor) => ({
        ...valueAndGrad((both: { readonly p: TensorTree; readonly xs: Tensor }): readonly [Tensor, TensorTree] => {
          const { outputs, carry } = layer.apply(both.p, both.xs, option);
          return [
            leaves(carry).reduce((total, part) => add(total, sum(part)), sum(square(outputs))),
            { outputs, carry },
          ];
        })({ p, xs }),
      });
      const expected = run(params, clean);
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
        const dirty = select(isPadding, fill([4, 3, 3], value, "float64"), clean);
        expect(Array.from(dirty.data).some((found) => Object.is(found, value))).toBe(true);
        expectSame(run(params, dirty), expected);
        expectSame(compile(run)(params, dirty), compile(run)(params, clean));
      }
    }
  });

  test("begins anew where resetMask is 1: a packed batch equals separate runs", () => {
    // Row 0 holds sequences of 3 and 2 steps, row 1 of 1 and 4, and one sequence fills row 2.
    const starts = int32([1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], [5, 3]);
    const xs = numbers(1, [5, 3, 3]);
    const { outputs, carry } = layer.apply(params, xs, { resetMask: starts });
    const alone = (row: number, from: number, to: number) =>
      layer.apply(params, slice(columns(xs, row, row + 1), 0, from, to));
    const parts = [[alone(0, 0, 3), alone(0, 3, 5)], [alone(1, 0, 1), alone(1, 1, 5)], [alone(2, 0, 5)]];
    parts.forEach((own, row) => {
      const joined = concatenate(
        own.map((part) => part.outputs),
        0,
      );
      expectClose(columns(outputs, row, row + 1), joined, TOLERANCES.float64);
      // The carry of a forward chain is that of the last sequence of the row, of a backward chain that of the first.
      tensorsByPath(carry).forEach(([path, part], index) => {
        const backward = path.includes("backward") || layer === LAYERS["reverse lstm"];
        const last = backward ? own[0]! : own.at(-1)!;
        expectClose(slice(part, 0, row, row + 1), leaves(last.carry)[index]!, TOLERANCES.float64);
      });
    });
  });

  test("returns no outputs and the carry it was given for no steps", () => {
    const carry = layer.initialCarry(2, "float64");
    const result = layer.apply(params, zeros([0, 2, 3], "float64"), { carry });
    expect(result.outputs.shape).toEqual([0, 2, layer.outputSize]);
    expectSame(result.carry, carry);
    const empty = { resetMask: zeros([0, 2], "int32"), mask: zeros([0, 2], "int32"), sequenceLengths: int32([0, 0]) };
    expectSame(layer.apply(params, zeros([0, 2, 3], "float64"), empty).carry, carry);
  });
});

/** For element k of `[4, 3, 3]`: 1 behind the end of sequences of 2, 0 and 4 steps. */
const ragged = (k: number): number => (Math.floor(k / 9) < [2, 0, 4][Math.floor(k / 3) % 3]! ? 0 : 1);

test("a restart forgets the carry that was handed over, and begins from the layer's initial carry", () => {
  const layer = LAYERS.lstm!;
  const params = layer.init(randomKey(1), "float64");
  const [xs, resetMask] = [numbers(1, [4, 2, 3]), int32([0, 1, 0, 0, 1, 0, 0, 0], [4, 2])];
  const { outputs } = layer.apply(params, xs, { resetMask, carry: { h: numbers(2, [2, 4]), c: numbers(3, [2, 4]) } });
  const anew = (row: number, from: number) => layer.apply(params, slice(columns(xs, row, row + 1), 0, from)).outputs;
  expectClose(slice(columns(outputs, 0, 1), 0, 2), anew(0, 2), TOLERANCES.float64);
  expectClose(columns(outputs, 1, 2), anew(1, 0), TOLERANCES.float64);
  expect(largestError(slice(columns(outputs, 0, 1), 0, 0, 2), slice(anew(0, 0), 0, 0, 2)).error).toBeGreaterThan(1e-3);
});

describe("the order of the inputs", () => {
  const swapped = (xs: Tensor): Tensor => concatenate([slice(xs, 0, 1, 2), slice(xs, 0, 0, 1), slice(xs, 0, 2)], 0);
  const lastOutputs = (layer: AnyLayer, params: TensorTree, xs: Tensor): [Tensor, Tensor] => [
    at(layer.apply(params, xs).outputs, -1),
    at(layer.apply(params, swapped(xs)).outputs, -1),
  ];

  test.each(["elman", "lstm", "gru", "gruResetBefore"])(
    "matters to %s: two inputs swapped change the last output",
    (name) => {
      const layer = LAYERS[name]!;
      const [first, second] = lastOutputs(layer, layer.init(randomKey(1), "float64"), numbers(1, [4, 1, 3]));
      expect(largestError(first, second).error).toBeGreaterThan(1e-3);
    },
  );

  test("does not matter without recurrent weights", () => {
    const layer = LAYERS.elman!;
    const params = layer.init(randomKey(1), "float64") as Readonly<Record<string, Tensor>>;
    const [first, second] = lastOutputs(
      layer,
      { ...params, weightHh: zeros([4, 4], "float64") },
      numbers(1, [4, 1, 3]),
    );
    expectSame(first, second);
  });
});

describe("recurrent with reverse", () => {
  test("equals the forward layer on reversed inputs, reversed back", () => {
    const cell = lstm({ inputSize: 3, hiddenSize: 4 });
    const params = cell.init(randomKey(1), "float64");
    const xs = numbers(1, [5, 2, 3]);
    const backward = recurrent(cell, { reverse: true }).apply(params, xs);
    const forward = recurrent(cell).apply(params, reverse(xs));
    expectSame(backward.outputs, reverse(forward.outputs));
    expectSame(backward.carry, forward.carry);
  });
});

describe("recurrent says what is wrong", () => {
  const layer = LAYERS.lstm!;
  const params = layer.init(randomKey(1));
  const xs = zeros([5, 2, 3]);

  test("with the inputs", () => {
    expect(() => layer.apply(params, zeros([5, 3]))).toThrow(ShapeError);
    expect(() => layer.apply(params, zeros([5, 3]))).toThrow(
      "recurrent: needs float [time,batch,3], but was given float32[5,3]",
    );
    expect(() => layer.apply(params, zeros([5, 2, 3], "int32"))).toThrow(
      "recurrent: needs float [time,batch,3], but was given int32[5,2,3]",
    );
  });

  test("with masks and lengths", () => {
    const unknown: object = { resetMasks: zeros([5, 2], "int32") };
    expect(() => layer.apply(params, xs, unknown)).toThrow('recurrent: there is no option "resetMasks"');
    expect(() => layer.apply(params, xs, { mask: zeros([5, 7], "int32") })).toThrow(
      "recurrent: mask must be int32[5,2], but is int32[5,7]",
    );
    expect(() => layer.apply(params, xs, { resetMask: zeros([5, 2]) })).toThrow(
      "recurrent: resetMask must be int32[5,2], but is float32[5,2]",
    );
    expect(() => layer.apply(params, xs, { sequenceLengths: int32([1, 1, 1]) })).toThrow(
      "recurrent: sequenceLengths must be int32[2], but is int32[3]",
    );
    expect(() => layer.apply(params, xs, { sequenceLengths: int32([1, 6]) })).toThrow(
      "sequenceLengths: 6 is outside [0, 5], the number of time steps",
    );
  });

  test("when parameters and inputs differ in their type", () => {
    expect(() => layer.apply(params, zeros([5, 2, 3], "float64"))).toThrow(
      "matmul: float64[2,3] and float32[16,3] must both be float32 or both be float64",
    );
  });
});

test("parameter counts are those of the equations", () => {
  const count = (tree: TensorTree) => leaves(tree).reduce((total, { shape }) => total + sizeOf(shape), 0);
  const counts = ["elman", "lstm", "gru", "gruResetBefore"].map((name) => count(LAYERS[name]!.init(randomKey(0))));
  const one = 4 * 3 + 4 * 4 + 4;
  expect(counts).toEqual([one, 4 * one, 3 * (one + 4), 3 * one]);
});
