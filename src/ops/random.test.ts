/** Random tensors: reproducible bits, the right distributions. */

import { describe, expect, test } from "vitest";
import { expectTensor, int32, scalar } from "../../test/scalar-loops.js";
import { DTypeError, normalQuantile, OptionError, threefry2x32 } from "../core/index.js";
import { compile } from "../runtime/index.js";
import type { Tensor } from "../tensor/index.js";
import * as ops from "./index.js";

const COUNT = 20_000;

/** Mean of a function of the numbers, and how many standard errors it is away from what it should be. */
function standardErrors(x: Tensor, f: (x: number) => number, expected: number, deviation: number): number {
  const mean = Array.from(x.data, f).reduce((sum, value) => sum + value, 0) / x.data.length;
  return Math.abs(mean - expected) / (deviation / Math.sqrt(x.data.length));
}

describe("randomKey", () => {
  test("keeps all 53 bits of the seed", () => {
    expectTensor(ops.randomKey(0), int32(0, 0));
    expectTensor(ops.randomKey(5), int32(0, 5));
    expectTensor(ops.randomKey(2 ** 32 + 7), int32(1, 7));
    expectTensor(ops.randomKey(Number.MAX_SAFE_INTEGER), int32(2 ** 21 - 1, -1));
  });

  test.each([-1, 0.5, 2 ** 53, NaN])("does not take the seed %s", (seed) => {
    const message = `randomKey: the seed must be a whole number in [0, 2^53 - 1], but is ${seed}`;
    expect(() => ops.randomKey(seed)).toThrow(new OptionError(message));
  });
});

describe("splitKey", () => {
  test("gives keys that differ from each other, from the old key and from folded ones", () => {
    const key = ops.randomKey(3);
    const all = [key, ...ops.splitKey(key, 50), ...Array.from({ length: 50 }, (_, k) => ops.foldIn(key, k))];
    expect(new Set(all.map(({ data }) => `${data}`)).size).toBe(all.length);
  });

  test("gives the same keys again, however many are asked for", () => {
    const few = ops.splitKey(ops.randomKey(3), 2);
    const many = ops.splitKey(ops.randomKey(3), 5);
    expect(few.map(({ data }) => [...data])).toEqual(many.slice(0, 2).map(({ data }) => [...data]));
  });

  test("encrypts the counter (k, 2^30)", () => {
    const out = new Int32Array(2);
    threefry2x32(0, 3, 1, 2 ** 30, out);
    expectTensor(ops.splitKey(ops.randomKey(3))[1] as Tensor, int32(...out));
  });

  test.each([-1, 1.5])("does not make %s keys", (count) => {
    const message = `splitKey: count must be a whole number of at least 0, but is ${count}`;
    expect(() => ops.splitKey(ops.randomKey(0), count)).toThrow(new OptionError(message));
  });
});

test("foldIn takes a number or a tensor with that number", () => {
  const key = ops.randomKey(9);
  expectTensor(ops.foldIn(key, 12), ops.foldIn(key, scalar(12, "int32")));
  expect(() => ops.foldIn(key, scalar(1, "float32"))).toThrow(
    new DTypeError("foldIn: the number must be int32[], but is float32[]"),
  );
});

describe.each(["float32", "float64"] as const)("of %s", (dtype) => {
  test("uniform numbers lie in [0, 1) with the moments of that distribution", () => {
    const x = ops.uniform(ops.randomKey(1), [COUNT], dtype);
    expect(x.data.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(standardErrors(x, (value) => value, 1 / 2, Math.sqrt(1 / 12))).toBeLessThan(4);
    expect(standardErrors(x, (value) => (value - 0.5) ** 2, 1 / 12, Math.sqrt(1 / 180))).toBeLessThan(4);
    expect(standardErrors(x, (value) => (value < 0.1 ? 1 : 0), 0.1, 0.3)).toBeLessThan(4);
  });

  test("normal numbers have the first four moments of that distribution", () => {
    const x = ops.normal(ops.randomKey(2), [COUNT], dtype);
    expect(standardErrors(x, (value) => value, 0, 1)).toBeLessThan(4);
    expect(standardErrors(x, (value) => value ** 2, 1, Math.sqrt(2))).toBeLessThan(4);
    expect(standardErrors(x, (value) => value ** 3, 0, Math.sqrt(15))).toBeLessThan(4);
    expect(standardErrors(x, (value) => value ** 4, 3, Math.sqrt(96))).toBeLessThan(4);
  });

  test("neighbours are not correlated", () => {
    const x = ops.normal(ops.randomKey(4), [2, COUNT], dtype);
    const products = ops.multiply(ops.at(x, 0), ops.at(x, 1));
    expect(standardErrors(products, (value) => value, 0, 1)).toBeLessThan(4);
  });

  test("the same key gives the same numbers inside a compiled function", () => {
    const draw = (key: Tensor) => {
      const [a, b] = ops.splitKey(ops.foldIn(key, 7)) as [Tensor, Tensor];
      return [ops.normal(a, [3, 2], dtype), ops.uniform(b, [5], dtype), ops.bernoulli(b, 0.3, [9])];
    };
    const key = ops.randomKey(11);
    const [eager, compiled] = [draw(key), compile(draw)(key)];
    eager.forEach((x, k) => {
      expectTensor(compiled[k] as Tensor, x);
    });
  });
});

test("a draw is a function of the key and the place alone, so a longer one begins with a shorter one", () => {
  const key = ops.randomKey(8);
  expectTensor(ops.slice(ops.normal(key, [10]), 0, 0, 4), ops.normal(key, [4]));
  expectTensor(ops.reshape(ops.normal(key, [2, 2]), [4]), ops.normal(key, [4]));
});

test("uniform and normal take their bits from the counter (k, 0)", () => {
  const words = new Int32Array(2);
  threefry2x32(0, 6, 2, 0, words);
  const [high, low] = [(words[0] as number) >>> 0, (words[1] as number) >>> 0];
  const key = ops.randomKey(6);
  expect(ops.uniform(key, [3]).data[2]).toBe((high >>> 8) / 2 ** 24);
  const fraction = (high >>> 6) * 2 ** 27 + (low >>> 5);
  expect(ops.uniform(key, [3], "float64").data[2]).toBe(fraction / 2 ** 53);
  expect(ops.normal(key, [3], "float64").data[2]).toBeCloseTo(normalQuantile(fraction / 2 ** 53), 12);
});

describe("bernoulli", () => {
  test("is 1 with its probability", () => {
    const x = ops.bernoulli(ops.randomKey(5), 0.3, [COUNT]);
    expect(x.dtype).toBe("int32");
    expect(standardErrors(x, (value) => value, 0.3, Math.sqrt(0.21))).toBeLessThan(4);
  });

  test("is never 1 with probability 0 and always with 1", () => {
    expect(Math.max(...ops.bernoulli(ops.randomKey(5), 0, [1000]).data)).toBe(0);
    expect(Math.min(...ops.bernoulli(ops.randomKey(5), 1, [1000]).data)).toBe(1);
  });

  test.each([-0.1, 1.1, NaN])("does not take probability %s", (probability) => {
    const message = `bernoulli: the probability must be in [0, 1], but is ${probability}`;
    expect(() => ops.bernoulli(ops.randomKey(0), probability, [])).toThrow(new OptionError(message));
  });
});

test("a draw needs a key and a float type", () => {
  expect(() => ops.normal(int32(1, 2, 3), [2])).toThrow(
    new DTypeError("normal: needs a key, int32[2], but was given int32[3]; make one with randomKey(seed)"),
  );
  expect(() => ops.uniform(ops.randomKey(0), [2], "int32" as "float32")).toThrow(
    new DTypeError("uniform: draws float32 or float64, not int32"),
  );
});

test("a draw does not take a length below 0", () => {
  expect(() => ops.normal(ops.randomKey(0), [-1])).toThrow("normal: [-1] is no shape");
});
