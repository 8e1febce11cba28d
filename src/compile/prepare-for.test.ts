import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { layerNormLstm, peephole } from "../../test/user-cells.js";
import { type Cell, elman, gru, lstm, type RecurrentSettings, recurrent } from "../nn/index.js";
import { add, multiply, randomKey, square, subtract, sum, tanh } from "../ops/index.js";
import { compile, type Kernels, referenceKernels } from "../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../tensor/index.js";
import { valueAndGrad } from "../transforms/index.js";
import type { Instruction, Plan } from "./plan.js";

/** Plans as fast kernels are given them, run by the reference evaluation. */
const prepared: Kernels = { ...referenceKernels, name: "prepared reference", target: { panel: 4, width: 2 } };

const SIZES = { inputSize: 3, hiddenSize: 4 };
type AnyCell = Cell<TensorTree, { readonly h: Tensor }>;
const CELLS = [
  ["elman", elman(SIZES) as unknown as AnyCell],
  ["lstm", lstm(SIZES) as unknown as AnyCell],
  ["gru", gru(SIZES) as unknown as AnyCell],
  ["a user's peephole LSTM", peephole as unknown as AnyCell],
  ["a user's layer-norm LSTM", layerNormLstm as unknown as AnyCell],
] as const;

interface Case extends RecurrentSettings {
  readonly length: number;
  /** Default 2. */
  readonly batch?: number;
  readonly isMasked?: boolean;
}

const CASES: readonly Case[] = [
  { length: 0 },
  { length: 1 },
  { length: 7 },
  { length: 7, isMasked: true },
  { length: 7, reverse: true },
  { length: 7, reverse: true, isMasked: true },
  { length: 7, checkpoint: 3 },
  { length: 7, checkpoint: 3, isMasked: true, reverse: true },
  // Enough elements for stacks to be joined, and to lie in each other's places.
  { length: 3, batch: 64 },
  { length: 3, batch: 64, isMasked: true },
  { length: 3, batch: 64, reverse: true },
  { length: 3, batch: 64, checkpoint: 2, isMasked: true, reverse: true },
];

const maskOf = (length: number, batch: number): Tensor =>
  int32(
    Array.from({ length: length * batch }, (_, k) => (k % 3 === 1 ? 0 : 1)),
    [length, batch],
  );

/** Loss of all outputs and of the last carry; its gradient for parameters, first carry and sequences; and an update. */
const updateOf = (cell: AnyCell, { length, batch = 2, isMasked, ...settings }: Case) => {
  const layer = recurrent(cell, settings);
  const carry = mapTensors((leaf) => numbers(5, leaf.shape, "float32"), layer.initialCarry(batch));
  const update = (params: TensorTree, xs: Tensor) => {
    const loss = (all: { readonly params: TensorTree; readonly xs: Tensor; readonly carry: typeof carry }) => {
      const options = { carry: all.carry, ...(isMasked && { mask: maskOf(length, batch) }) };
      const result = layer.apply(all.params, all.xs, options);
      return add(sum(square(tanh(result.outputs))), sum(square(result.carry.h)));
    };
    const { value, gradient } = valueAndGrad(loss)({ params, xs, carry });
    const next = mapTensors((p, g) => subtract(p, multiply(g, 0.1)), params, gradient.params);
    return { next, value, gradient };
  };
  return { update, params: layer.init(randomKey(3)), xs: numbers(4, [length, batch, 3], "float32") };
};

describe.each(CELLS)("prepared Plans of %s", (name, cell) => {
  test.each(CASES)("give the gradients of the plain ones: %o", (one) => {
    const { update, params, xs } = updateOf(cell, one);
    const expected = compile(update, { kernels: referenceKernels })(params, xs);
    const compiled = compile(update, { kernels: prepared });
    // Normalisation of four numbers loses digits, and its division is another one. So do sums over many rows.
    const rounding = one.batch === undefined ? TOLERANCES.float32 : 3 * TOLERANCES.float32;
    expectClose(compiled(params, xs), expected, name.includes("norm") ? 3e-5 : rounding);
    const donated = mapTensors((leaf) => add(leaf, 0), params);
    expectSame(compile(update, { kernels: prepared, donate: [0] })(donated, xs), compiled(params, xs));
    // A second run starts from the same memory as the first left behind.
    expectSame(compiled(params, xs), compiled(params, xs));
  });
});

const countOf = (instructions: readonly Instruction[]): number =>
  instructions.reduce((count, one) => count + 1 + (one.kind === "loop" ? countOf(one.body) : 0), 0);

describe.each(CELLS)("the Plan of a training step of %s", (_, cell) => {
  test("has as many instructions for every length, and memory in proportion to it", () => {
    const planFor = (length: number): Plan => {
      const { update, params, xs } = updateOf(cell, { length });
      return compile(update, { kernels: prepared, donate: [0] }).plan(params, xs);
    };
    const [few, some, many] = [planFor(64), planFor(128), planFor(192)];
    expect(countOf(some.instructions)).toBe(countOf(few.instructions));
    expect(countOf(many.instructions)).toBe(countOf(few.instructions));
    expect(many.arenaBytes - some.arenaBytes).toBe(some.arenaBytes - few.arenaBytes);
  });
});

test("a training step of an LSTM takes the memory that the textbook stores", () => {
  const [time, batch, inputs, hidden] = [200, 8, 16, 32];
  const layer = recurrent(lstm({ inputSize: inputs, hiddenSize: hidden }));
  const update = (params: ReturnType<typeof layer.init>, xs: Tensor) => {
    const { value, gradient } = valueAndGrad((point: typeof params) => sum(square(layer.apply(point, xs).carry.h)))(
      params,
    );
    return { next: mapTensors((p, g) => subtract(p, multiply(g, 0.1)), params, gradient), value };
  };
  const compiled = compile(update, { kernels: prepared, donate: [0] });
  const { arenaBytes } = compiled.plan(layer.init(randomKey(1)), numbers(2, [time, batch, inputs], "float32"));
  // Of each step: h, c, tanh(c) and four gates, which lie where the inputs' part of them was, and their gradients come.
  const perStep = 7 * batch * hidden;
  expect(arenaBytes / 4).toBeLessThan(1.1 * time * perStep);
});
