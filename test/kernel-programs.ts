/**
 * Random programs for sets of kernels to be compared on with the reference: elementwise graphs over one shape, and loops.
 *
 * Numbers stay within about [-2, 2], and no step makes differences of its operands much larger, so that rounding stays small. What jumps
 * (comparisons, floor) reads only numbers that are the same everywhere, as they were only moved, compared or chosen.
 */

import fc from "fast-check";
import * as ops from "../src/ops/index.js";
import { scan } from "../src/scan/index.js";
import { type Shape, sizeOf, type Tensor } from "../src/tensor/index.js";
import { floats, wholes } from "./kernel-operations.js";

/** One step: what is done, which earlier values it reads, and a number that says more (an axis, a place). */
interface Step {
  readonly operation: number;
  readonly first: number;
  readonly second: number;
  readonly number: number;
}

const stepsOf = (choices: number, most: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      operation: fc.nat({ max: choices - 1 }),
      first: fc.nat({ max: 40 }),
      second: fc.nat({ max: 40 }),
      number: fc.nat({ max: 60 }),
    }),
    { minLength: 1, maxLength: most },
  );

/** The newest values are read most. */
const pick = <T>(values: readonly T[], k: number): T =>
  values[k < 20 ? Math.max(0, values.length - 1 - (k % 4)) : k % values.length] as T;

// ------------------------------------------------------------------------------------------------- elementwise graphs

type Choice = (x: Tensor, y: Tensor, number: number) => Tensor;

const half = (x: Tensor): Tensor => ops.multiply(x, 0.5);
const axisOf = (x: Tensor, number: number): number => number % x.shape.length;
/** An axis, and a place that cuts it in two. */
const cutOf = (x: Tensor, number: number): [axis: number, cut: number] => {
  const axis = axisOf(x, number);
  return [axis, Math.min(1 + (number % 5), x.shape[axis] as number)];
};
const mask = (x: Tensor, y: Tensor, number: number): Tensor => {
  const comparisons = [ops.greater, ops.lessEqual, ops.notEqual, ops.equal, ops.less, ops.greaterEqual];
  return (comparisons[number % comparisons.length] as typeof ops.greater)(x, number % 2 === 0 ? y : 0.25);
};

/** Keep the shape, and give the same bits on all kernels if they read such. */
const exactChoices: readonly Choice[] = [
  (x) => ops.negate(x),
  (x) => ops.relu(x),
  (x) => ops.sign(ops.abs(x)),
  (x) => ops.floor(x),
  (x, y) => ops.maximum(x, y),
  (x, y) => ops.minimum(x, y),
  (x, y, n) => ops.select(mask(x, y, n), x, y),
  (x, y, n) => ops.select(ops.logicalAnd(mask(x, y, n), ops.isFiniteNumber(x)), ops.zerosLike(x), x),
  (x, y, n) => ops.cast(mask(x, y, n), "float32"),
  (x) => ops.cast(ops.cast(x, "int32"), "float32"),
  (x, y) => ops.cast(ops.sign(ops.add(ops.multiply(ops.cast(x, "int32"), 3), ops.cast(y, "int32"))), "float32"),
  (x, _, n) => ops.reverse(x, axisOf(x, n)),
  (x, y, n) => {
    const [axis, cut] = cutOf(x, n);
    return ops.concatenate([ops.slice(x, axis, cut), ops.slice(y, axis, 0, cut)], axis);
  },
  (x, y, n) => {
    const axis = axisOf(x, n);
    const length = x.shape[axis] as number;
    return length === 0 ? x : ops.maximum(ops.broadcastTo(ops.slice(x, axis, length - 1), x.shape), y);
  },
  (x) => ops.transpose(ops.reshape(x, x.shape.toReversed())),
  (x, _, n) => {
    const axis = axisOf(x, n);
    if (x.shape[axis] === 0) return x;
    return ops.concatenate([ops.slice(x, axis, 1, undefined, 2), ops.slice(x, axis, 0, undefined, 2)], axis);
  },
  (x, y, n) => {
    const [axis, cut] = cutOf(x, n);
    return ops.maximum(ops.pad(ops.slice(x, axis, cut), axis, 0, cut), y);
  },
  (x, y, n) => {
    const axis = axisOf(x, n);
    const joined = ops.negate(ops.concatenate([ops.negate(x), ops.maximum(x, y)], axis));
    const [a, b] = ops.split(joined, 2, axis) as [Tensor, Tensor];
    return ops.minimum(a, b);
  },
];

/** Keep the shape, and round. */
const roundedChoices: readonly Choice[] = [
  (x) => ops.tanh(x),
  (x) => ops.sigmoid(x),
  (x) => ops.sin(x),
  (x) => ops.cos(x),
  (x) => ops.log1p(ops.abs(x)),
  (x) => half(ops.expm1(ops.tanh(x))),
  (x) => half(ops.softplus(x)),
  (x) => ops.reciprocal(ops.add(ops.square(x), 1)),
  (x) => ops.sqrt(ops.add(ops.abs(x), 0.5)),
  (x, y) => half(ops.add(x, y)),
  (x, y) => half(ops.subtract(x, y)),
  (x, y) => ops.tanh(ops.multiply(x, y)),
  (x, y) => half(ops.add(ops.multiply(x, ops.tanh(y)), y)),
  (x, y) => half(ops.add(y, ops.multiply(ops.fill(x.shape, 0.3), x))),
  (x, y) => ops.divide(x, ops.add(ops.abs(y), 1)),
  (x, y) => ops.power(ops.add(ops.abs(ops.tanh(x)), 0.5), ops.tanh(y)),
  (x) => ops.transpose(ops.tanh(ops.transpose(x))),
  (x, y) =>
    half(
      ops.add(ops.broadcastTo(ops.divide(ops.sum(x, { axes: -1, keepAxes: true }), x.shape.at(-1) || 1), x.shape), y),
    ),
  (x, y, n) => {
    const axis = axisOf(x, n);
    const count = Math.max(x.shape[axis] as number, 1);
    return half(ops.subtract(y, ops.divide(ops.sum(x, { axes: axis, keepAxes: true }), count)));
  },
  (x, y, n) => {
    const axis = axisOf(x, n);
    const joined = ops.tanh(ops.concatenate([x, ops.multiply(x, y), y], axis));
    const [a, b, c] = ops.split(joined, 3, axis) as [Tensor, Tensor, Tensor];
    return half(ops.add(a, ops.multiply(b, c)));
  },
  (x, y) => ops.divide(ops.sum(ops.stack([x, y, ops.tanh(x)], 0), { axes: 0 }), 3),
  (x, y, n) => half(ops.add(ops.reverse(ops.tanh(x), axisOf(x, n)), y)),
];

const SHAPES: readonly Shape[] = [
  ...[[1], [3], [7], [17], [33], [65], [1030], [2100], [0]],
  ...[
    [5, 7],
    [17, 3],
    [33, 17],
    [7, 1],
    [1, 65],
    [3, 1100],
    [70, 33],
    [300, 2],
    [0, 3],
    [3, 0],
  ],
  ...[
    [2, 3, 5],
    [4, 1, 9],
    [5, 17, 3],
    [2, 3, 4, 5],
    [2, 1, 3, 1, 2, 3],
  ],
];

/** An elementwise graph with arguments of its own. */
export interface Graph {
  readonly f: (inputs: readonly Tensor[]) => Tensor[];
  readonly inputs: Tensor[];
  /** For messages. */
  readonly description: string;
}

const wrap = (x: Tensor, rounds: boolean): { readonly x: Tensor; readonly rounds: boolean } => ({ x, rounds });

/** Random graphs with one to four results. */
export const graphs: fc.Arbitrary<Graph> = fc
  .record({
    shape: fc.constantFrom(...SHAPES),
    steps: stepsOf(exactChoices.length + roundedChoices.length, 14),
    results: fc.array(fc.nat({ max: 40 }), { maxLength: 3 }),
    seed: fc.nat({ max: 1000 }),
  })
  .map(({ shape, steps, results, seed }) => ({
    description: JSON.stringify({ shape, steps, results, seed }),
    inputs: [
      floats(shape, -1.9, 1.9, seed),
      floats(shape, -1.9, 1.9, seed + 7),
      floats(shape.toReversed(), -1, 1, seed + 3),
      floats([shape.at(-1) as number], -1, 1, seed + 5),
      wholes(shape, -2, 2, seed),
    ],
    f: ([a, b, turned, row, whole]) => {
      const pool = [
        wrap(ops.cast(whole as Tensor, "float32"), false),
        wrap(ops.broadcastTo(row as Tensor, shape), false),
        wrap(ops.transpose(turned as Tensor), false),
        wrap(b as Tensor, false),
        wrap(a as Tensor, false),
      ];
      for (const { operation, first, second, number } of steps) {
        const exact = exactChoices[operation];
        const from = exact === undefined ? pool : pool.filter(({ rounds }) => !rounds);
        const choice = exact ?? (roundedChoices[operation - exactChoices.length] as Choice);
        pool.push(wrap(choice(pick(from, first).x, pick(from, second).x, number), exact === undefined));
      }
      const last = (pool.at(-1) as { x: Tensor }).x;
      const others = results.map((k) => pick(pool, k).x);
      if (results.length < 2) return [last, ...others];
      const part = ops.multiply(others[0] as Tensor, 1 / Math.max(shape.at(-1) as number, 1));
      return [last, ...others, ops.sum(part, { axes: -1 })];
    },
  }));

// --------------------------------------------------------------------------------------------------------------- loops

const [BATCH, WIDTH] = [3, 5];

/** What a step does with its parts of the carry, all `[batch, width]`, and a slice. */
type LoopChoice = (h: Tensor, x: Tensor, weight: Tensor) => Tensor;

const loopChoices: readonly LoopChoice[] = [
  (h) => h,
  (h) => ops.tanh(h),
  (h, x) => ops.tanh(ops.add(h, x)),
  (h, x) => half(ops.add(ops.multiply(h, 0.9), x)),
  (h, x, w) => ops.tanh(ops.add(ops.matmul(h, w), x)),
  (h, x, w) => ops.tanh(ops.matmul(ops.multiply(h, x), w, { transposeB: true })),
  (h, x) => ops.sigmoid(ops.concatenate([ops.slice(h, 1, 2), ops.slice(x, 1, 0, 2)], 1)),
  (_, x) => x,
  (h, x) => ops.maximum(h, ops.reverse(x, 1)),
  (h, x) => half(ops.add(x, ops.divide(ops.sum(h, { axes: 1, keepAxes: true }), WIDTH))),
  (h, x, w) =>
    scan(
      (inner: Tensor, column: Tensor) => {
        const next = ops.tanh(ops.add(inner, ops.expandDims(column, 1)));
        return [next, inner];
      },
      ops.matmul(h, w),
      ops.transpose(x),
      { reverse: true },
    )[0],
  (h, x) => {
    const [, all] = scan((g: Tensor, row: Tensor) => [half(ops.add(g, row)), ops.multiply(g, row)], ops.at(h, 0), x);
    return half(ops.add(h, all));
  },
  (h) => ops.fill(h.shape, 0.25),
];

/** A loop with arguments of its own: the carry, the sequence, a weight. */
export interface Loop {
  readonly f: (
    carry: readonly Tensor[],
    xs: Tensor,
    weight: Tensor,
  ) => { carry: readonly Tensor[]; results: readonly Tensor[] };
  readonly carry: Tensor[];
  readonly xs: Tensor;
  readonly weight: Tensor;
  readonly description: string;
}

/** Random loops: carries exchanged and handed on, old and new carries among the results, masks, restarts, segments. */
export const loops: fc.Arbitrary<Loop> = fc
  .record({
    length: fc.constantFrom(0, 1, 2, 7),
    carries: fc.integer({ min: 1, max: 3 }),
    steps: stepsOf(loopChoices.length, 6),
    next: fc.array(fc.nat({ max: 12 }), { minLength: 3, maxLength: 3 }),
    results: fc.array(fc.nat({ max: 12 }), { maxLength: 3 }),
    reverse: fc.boolean(),
    masked: fc.constantFrom("no", "holes", "lengths"),
    restarts: fc.boolean(),
    checkpoint: fc.constantFrom(undefined, 1, 2, 3),
    unused: fc.boolean(),
    seed: fc.nat({ max: 1000 }),
  })
  .map(({ length, carries, steps, next, results, reverse, masked, restarts, checkpoint, unused, seed }) => ({
    description: JSON.stringify({
      length,
      carries,
      steps,
      next,
      results,
      reverse,
      masked,
      restarts,
      checkpoint,
      unused,
      seed,
    }),
    carry: Array.from({ length: carries }, (_, k) => floats([BATCH, WIDTH], -1, 1, seed + k)),
    xs: floats([length, BATCH, WIDTH], -1, 1, seed + 11),
    weight: floats([WIDTH, WIDTH], -0.4, 0.4, seed + 13),
    f: (initial, xs, weight) => {
      const body = (carry: readonly Tensor[], x: Tensor): [Tensor[], Tensor[]] => {
        const pool = [...carry];
        for (const { operation, first, second } of steps) {
          const y = second % 3 === 0 ? (pool[second % pool.length] as Tensor) : x;
          pool.push((loopChoices[operation] as LoopChoice)(pool[first % pool.length] as Tensor, y, weight));
        }
        return [
          carry.map((_, k) => pool[next[k]! % pool.length] as Tensor),
          results.map((k) => pool[k % pool.length] as Tensor),
        ];
      };
      const options = {
        reverse,
        ...(masked === "holes" && { mask: wholes([length, BATCH], 0, 1, seed) }),
        ...(masked === "lengths" && { sequenceLengths: wholes([BATCH], 0, length, seed) }),
        ...(restarts && { resetMask: wholes([length, BATCH], 0, 1, seed + 1) }),
        ...(checkpoint !== undefined && { checkpoint }),
      };
      const [carry, ys] = scan(body, initial as Tensor[], xs, options);
      return { carry: unused ? carry.slice(0, 1) : carry, results: ys };
    },
  }));

/** A number of a loop's results whose gradient is a loop backwards. */
export const lossOf =
  (loop: Loop) =>
  (carry: readonly Tensor[], xs: Tensor, weight: Tensor): Tensor => {
    const { carry: last, results } = loop.f(carry, xs, weight);
    return [...last, ...results].reduce(
      (total, y) => ops.add(total, ops.divide(ops.sum(ops.sin(y)), Math.max(sizeOf(y.shape), 1))),
      ops.zeros([]),
    );
  };
