/** Scan against its slow, obvious twin: a plain TypeScript loop over the steps, which knows nothing of scan. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, f64, int32, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { type Cell, elman, gru, gruResetBefore, lstm } from "../nn/index.js";
import { add, at, matmul, multiply, select, sigmoid, stack, sum, tanh, zeros } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../tensor/index.js";
import { jvp, valueAndGrad } from "../transforms/index.js";
import { scan } from "./index.js";

// ------------------------------------------------------------------------------------------------------------ twin

/** Masks as plain rows of 0 and 1, `[time][batch]`. */
interface Variant {
  readonly reverse?: boolean;
  readonly mask?: readonly (readonly number[])[];
  readonly lengths?: readonly number[];
  readonly resets?: readonly (readonly number[])[];
}

/** A condition for each row of the batch, beside a tensor `[batch, ...]`. */
const byRow = (rows: readonly number[], like: Tensor): Tensor =>
  int32(rows, [rows.length, ...like.shape.slice(1).map(() => 1)]);

function unrolled<Carry extends TensorTree>(
  step: (carry: Carry, x: Tensor) => readonly [Carry, Tensor],
  initial: Carry,
  xs: Tensor,
  { reverse = false, mask, lengths, resets }: Variant,
  resetCarry: Carry = initial,
): [Carry, Tensor[]] {
  const time = xs.shape[0] as number;
  const batch = xs.shape[1] as number;
  const results: Tensor[] = new Array(time);
  let carry = initial;
  for (let k = 0; k < time; k++) {
    const t = reverse ? time - 1 - k : k;
    if (resets) carry = mapTensors((start, old) => select(byRow(resets[t]!, old), start, old), resetCarry, carry);
    const [next, y] = step(carry, at(xs, t));
    const real = Array.from({ length: batch }, (_, b) =>
      (mask ? mask[t]![b] === 1 : true) && (lengths ? t < lengths[b]! : true) ? 1 : 0,
    );
    carry = mapTensors((fresh, old) => select(byRow(real, old), fresh, old), next, carry);
    results[t] = multiply(y, byRowFloat(real, y));
  }
  return [carry, results];
}

const byRowFloat = (rows: readonly number[], like: Tensor): Tensor =>
  f64(rows, [rows.length, ...like.shape.slice(1).map(() => 1)]);

/** The same through scan. */
const scanned = <Carry extends TensorTree>(
  step: (carry: Carry, x: Tensor) => readonly [Carry, Tensor],
  initial: Carry,
  xs: Tensor,
  { reverse, mask, lengths, resets }: Variant,
  resetCarry?: Carry,
): [Carry, Tensor[]] => {
  const batch = xs.shape[1] as number;
  const maskTensor = (rows: readonly (readonly number[])[]) => int32(rows.flat(), [rows.length, batch]);
  const [carry, results] = scan(step, initial, xs, {
    ...(reverse !== undefined && { reverse }),
    ...(mask && { mask: maskTensor(mask) }),
    ...(lengths && { sequenceLengths: int32(lengths) }),
    ...(resets && { resetMask: maskTensor(resets) }),
    ...(resets && resetCarry !== undefined && { resetCarry }),
  });
  return [carry, Array.from({ length: xs.shape[0] as number }, (_, t) => at(results, t))];
};

// ----------------------------------------------------------------------------------------------------------- cells

const INPUT = 3;
const HIDDEN = 2;

type Nested = { readonly fast: Tensor; readonly memory: { readonly slow: Tensor; readonly pair: readonly Tensor[] } };

/** A cell of a user: a carry of records and lists, one part of it with three axes. */
const nested: Cell<{ readonly w: Tensor; readonly u: Tensor; readonly v: Tensor }, Nested> = {
  inputSize: INPUT,
  outputSize: HIDDEN,
  init: () => ({ w: numbers(90, [INPUT, HIDDEN]), u: numbers(91, [HIDDEN, HIDDEN]), v: numbers(92, [2, HIDDEN]) }),
  initialCarry: (batch, dtype) => ({
    fast: zeros([batch, HIDDEN], dtype),
    memory: {
      slow: zeros([batch, 2, HIDDEN], dtype),
      pair: [zeros([batch, HIDDEN], dtype), zeros([batch, HIDDEN], dtype)],
    },
  }),
  step: ({ w, u, v }, { fast, memory: { slow, pair } }, x) => {
    const [a, b] = pair as [Tensor, Tensor];
    const nextFast = tanh(add(add(matmul(x, w), matmul(fast, u)), sum(multiply(slow, v), { axes: 1 })));
    const nextSlow = stack([at(slow, 1, 1), sigmoid(add(nextFast, a))], 1);
    // The two of the pair change places, so the new carry has old parts at another place.
    return [{ fast: nextFast, memory: { slow: nextSlow, pair: [b, add(a, nextFast)] } }, add(nextFast, b)];
  },
};

const CELLS = {
  elman: elman({ inputSize: INPUT, hiddenSize: HIDDEN }),
  lstm: lstm({ inputSize: INPUT, hiddenSize: HIDDEN }),
  gru: gru({ inputSize: INPUT, hiddenSize: HIDDEN }),
  gruResetBefore: gruResetBefore({ inputSize: INPUT, hiddenSize: HIDDEN }),
  nested,
} as unknown as Record<string, Cell<TensorTree, TensorTree>>;

/** Everything that is differentiated: `outside` is used by the step without being handed to scan. */
type Point = {
  readonly params: TensorTree;
  readonly xs: Tensor;
  readonly initial: TensorTree;
  readonly restart: TensorTree;
  readonly outside: Tensor;
};

/** All numbers different, whatever the form. */
const randomLike = (seed: number, tree: TensorTree): TensorTree => {
  let next = 1000 * seed;
  return mapTensors(({ shape }) => numbers(next++, shape), tree);
};

function pointFor(cell: Cell<TensorTree, TensorTree>, time: number, batch: number): Point {
  const carry = cell.initialCarry(batch, "float64");
  return {
    params: randomLike(1, cell.init(int32([0, 1]), "float64")),
    xs: numbers(2, [time, batch, INPUT]),
    initial: randomLike(3, carry),
    restart: randomLike(4, carry),
    outside: numbers(5, [INPUT]),
  };
}

/** A number that depends on every result in a way of its own, with the results beside it. */
const weighted = (results: TensorTree): Tensor =>
  tensorsByPath(results).reduce(
    (total, [, result], index) => add(total, sum(multiply(tanh(result), numbers(7000 + index, result.shape)))),
    zeros([], "float64"),
  );

const lossOf =
  (run: typeof unrolled, cell: Cell<TensorTree, TensorTree>, variant: Variant) =>
  ({ params, xs, initial, restart, outside }: Point): readonly [Tensor, TensorTree] => {
    const step = (carry: TensorTree, x: Tensor) => cell.step(params, carry, add(x, outside));
    const [carry, results] = run(step, initial, xs, variant, restart);
    return [weighted([carry, results]), { carry, results }];
  };

/** Results, loss and the gradient for the whole point. */
const derived =
  (run: typeof unrolled, cell: Cell<TensorTree, TensorTree>, variant: Variant) =>
  (point: Point): { value: Tensor; gradient: Point; extra: TensorTree } => ({
    ...valueAndGrad(lossOf(run, cell, variant))(point),
  });

// -------------------------------------------------------------------------------------------------------- variants

const HOLES = [
  [1, 0, 1],
  [0, 1, 0],
  [1, 1, 0],
  [0, 0, 0],
  [1, 0, 1],
];
const RESETS = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 0],
  [0, 1, 1],
  [1, 0, 0],
];
const RAGGED = [5, 0, 1];

const VARIANTS: Record<string, Variant> = {
  plain: {},
  mask: { mask: HOLES },
  sequenceLengths: { lengths: RAGGED },
  "mask and sequenceLengths": { mask: HOLES, lengths: RAGGED },
  resetMask: { resets: RESETS },
  "resetMask and mask": { resets: RESETS, mask: HOLES },
  reverse: { reverse: true },
  "reverse and sequenceLengths": { reverse: true, lengths: RAGGED },
  "reverse, resetMask and mask": { reverse: true, resets: RESETS, mask: HOLES },
};

describe.each(Object.keys(CELLS))("scan of %s equals the unrolled loop in values and gradients", (name) => {
  const cell = CELLS[name]!;
  const point = pointFor(cell, 5, 3);

  test.each(Object.keys(VARIANTS))("with %s", (variantName) => {
    const variant = VARIANTS[variantName]!;
    const expected = derived(unrolled, cell, variant)(point);
    const throughScan = derived(scanned, cell, variant);
    expectClose(throughScan(point), expected, TOLERANCES.float64);
    expectClose(compile(throughScan)(point), expected, TOLERANCES.float64);
    // The comparison means something: the gradient reaches all that it should.
    for (const key of ["params", "xs", "initial", "outside"] as const) {
      expect(norm(expected.gradient[key])).toBeGreaterThan(1e-3);
    }
    expect(norm(expected.gradient.restart) > 0).toBe(variant.resets !== undefined);
  });

  test.each(Object.keys(VARIANTS))("in forward mode with %s", (variantName) => {
    const variant = VARIANTS[variantName]!;
    const direction = randomLike(9, point) as Point;
    const expected = jvp(lossOf(unrolled, cell, variant), [point], [direction]);
    const push = (at: Point, along: Point) => jvp(lossOf(scanned, cell, variant), [at], [along]);
    expectClose(push(point, direction), expected, TOLERANCES.float64);
    expectClose(compile(push)(point, direction), expected, TOLERANCES.float64);
  });
});

const norm = (tree: TensorTree): number =>
  Math.hypot(...tensorsByPath(tree).flatMap(([, { data }]) => Array.from(data)));

// -------------------------------------------------------------------------------------------------------- property

const rows = (time: number, batch: number) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: batch, maxLength: batch }), {
    minLength: time,
    maxLength: time,
  });

const situations = fc
  .record({ time: fc.integer({ min: 0, max: 6 }), batch: fc.integer({ min: 1, max: 4 }) })
  .chain(({ time, batch }) =>
    fc.record({
      time: fc.constant(time),
      batch: fc.constant(batch),
      variant: fc.record(
        {
          reverse: fc.boolean(),
          mask: rows(time, batch),
          resets: rows(time, batch),
          lengths: fc.array(fc.integer({ min: 0, max: time }), { minLength: batch, maxLength: batch }),
        },
        { requiredKeys: [] },
      ),
    }),
  );

test.each(["lstm", "nested"])(
  "scan of %s equals the unrolled loop for any length, batch, masks and direction",
  (name) => {
    const cell = CELLS[name]!;
    fc.assert(
      fc.property(situations, ({ time, batch, variant }) => {
        const point = pointFor(cell, time, batch);
        const expected = derived(unrolled, cell, variant)(point);
        const throughScan = derived(scanned, cell, variant);
        expectClose(throughScan(point), expected, TOLERANCES.float64);
        expectClose(compile(throughScan)(point), expected, TOLERANCES.float64);
      }),
      { numRuns: 60, seed: 1 },
    );
  },
);
