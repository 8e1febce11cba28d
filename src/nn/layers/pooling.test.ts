/** Pools against PyTorch (test/golden/convolution.json), in ragged batches, and over whole sequences. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, int32, numbers } from "../../../test/close.js";
import { goldenTensors, readGolden } from "../../../test/golden.js";
import { build, element } from "../../../test/scalar-loops.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { ShapeError } from "../../core/index.js";
import { multiply, slice, sum } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import type { Tensor } from "../../tensor/index.js";
import { checkGradients, grad, valueAndGrad } from "../../transforms/index.js";
import { maxOverTime, maxPool1d, maxPool2d, meanPool1d, meanPool2d } from "./pooling.js";

const POOLS = { maxPool1d, maxPool2d, meanPool1d, meanPool2d } as const;

interface GoldenCase {
  readonly options: { readonly size: never; readonly stride: never };
}

const pools = Object.entries(readGolden("convolution") as Record<string, GoldenCase>).filter(([name]) =>
  name.includes("Pool"),
);

test("all pools have golden values", () => {
  expect(new Set(pools.map(([name]) => name.replace("Overlap", "")))).toEqual(new Set(Object.keys(POOLS)));
});

test.each(pools)("golden values of PyTorch: %s, value and gradient, eagerly and compiled", (name, golden) => {
  const { options, ...tensors } = golden;
  const read = goldenTensors(tensors, "float64") as { x: Tensor; wY: Tensor; y: Tensor; grad: { x: Tensor } };
  const pool = POOLS[name.replace("Overlap", "") as keyof typeof POOLS](options);
  const both = valueAndGrad((x: Tensor) => {
    const y = pool.apply(x);
    return [sum(multiply(y, read.wY)), y] as const;
  });
  const run = (x: Tensor) => {
    const { gradient, extra } = both(x);
    return { gradient, extra };
  };
  const expected = { gradient: read.grad.x, extra: read.y };
  expectClose(run(read.x), expected, TOLERANCES.float64);
  expectClose(compile(run)(read.x), expected, TOLERANCES.float64);
  checkGradients((x: Tensor) => pool.apply(x), [read.x], { order: 2, tolerance: TOLERANCES.gradient });
});

describe("along time", () => {
  const lengths = [7, 4, 2, 0];
  const whole = numbers(1, [7, 4, 2]);
  const x = build("float64", whole.shape, (t, b, i) => (t < lengths[b]! ? element(whole, t, b, i) : Number.NaN));
  const sequence = (b: number): Tensor => slice(slice(whole, 1, b, b + 1), 0, 0, lengths[b]);

  test.each([
    ["maxPool1d", maxPool1d],
    ["meanPool1d", meanPool1d],
  ])("%s gives each sequence of a ragged batch what it gives it alone", (_, make) => {
    const pool = make({ size: 3, stride: 2 });
    const y = pool.apply(x, { sequenceLengths: int32(lengths) });
    const outputLengths = lengths.map(pool.outputLength);
    expect(outputLengths).toEqual([3, 1, 0, 0]);
    expectSame(pool.outputLengths(int32(lengths)), int32(outputLengths));
    lengths.forEach((_, b) => {
      expectSame(slice(slice(y, 1, b, b + 1), 0, 0, outputLengths[b]), pool.apply(sequence(b)));
    });
    const first = (z: Tensor): Tensor => sum(slice(pool.apply(z, { sequenceLengths: int32(lengths) }), 0, 0, 1));
    expect(grad(first)(x).data.some(Number.isNaN)).toBe(false);
  });

  test("maxOverTime sees the real steps of each sequence, and of none makes 0", () => {
    const ragged = (z: Tensor): Tensor => maxOverTime(z, { sequenceLengths: int32(lengths) });
    const mask = build("int32", [7, 4], (t, b) => (t < lengths[b]! ? 1 : 0));
    for (const y of [ragged(x), compile(ragged)(x), maxOverTime(x, { mask })]) {
      for (const b of [0, 1, 2]) expectSame(slice(y, 0, b, b + 1), maxOverTime(sequence(b)));
      expectSame(slice(y, 0, 3), f64([0, 0], [1, 2]));
    }
    const gradient = grad((z: Tensor) => sum(ragged(z)))(x);
    for (const b of [0, 1, 2]) {
      const own = slice(slice(gradient, 1, b, b + 1), 0, 0, lengths[b]);
      expectSame(own, grad((z: Tensor) => sum(maxOverTime(z)))(sequence(b)));
      expectSame(sum(slice(gradient, 1, b, b + 1)), sum(own));
    }
    expectSame(
      slice(gradient, 1, 3),
      build("float64", [7, 1, 2], () => 0),
    );
  });

  test("maxOverTime of negative numbers is negative, whatever stands in the padding", () => {
    const negative = build("float64", [3, 1, 1], (t) => (t < 2 ? -3 - t : 5));
    expectSame(maxOverTime(negative, { sequenceLengths: int32([2]) }), f64([-3], [1, 1]));
  });
});

test("pools say what they do not take", () => {
  expect(() => maxPool1d({ size: 0 })).toThrow("maxPool1d: size must be a whole number of at least 1, but is 0");
  expect(() => meanPool1d({ size: 2, stride: 1.5 })).toThrow("meanPool1d: stride must be a whole number of at least 1");
  expect(() => maxPool2d({ size: [2, 0] })).toThrow("maxPool2d: size must be a whole number of at least 1, but is 0");
  expect(() => meanPool2d({ size: 2, padding: 1 } as never)).toThrow(
    'meanPool2d: there is no option "padding"; the options are size, stride',
  );
  expect(() => meanPool2d({ size: 2 }).apply(numbers(1, [4, 4, 2]))).toThrow(
    new ShapeError("meanPool2d: needs float [batch,height,width,channels], but was given float64[4,4,2]"),
  );
});
