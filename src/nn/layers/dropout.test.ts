/** Dropout of activations. */

import { describe, expect, test } from "vitest";
import { expectSame, numbers } from "../../../test/close.js";
import { add, divide, multiply, ones, randomKey, sum } from "../../ops/index.js";
import { toNumber } from "../../tensor/index.js";
import { grad } from "../../transforms/index.js";
import { dropout } from "./dropout.js";

describe("dropout", () => {
  test.each([0.1, 0.5, 0.9])("with rate %d drops that share and keeps the expectation", (rate) => {
    const dropped = dropout(randomKey(1), ones([200, 100], "float64"), rate);
    const kept = Array.from(dropped.data).filter((value) => value !== 0);
    expect(kept.every((value) => value === 1 / (1 - rate))).toBe(true);
    const standardError = Math.sqrt((rate * (1 - rate)) / 20000);
    expect(Math.abs(kept.length / 20000 - (1 - rate))).toBeLessThan(3 * standardError);
    expect(Math.abs(toNumber(sum(dropped)) / 20000 - 1)).toBeLessThan((3 * standardError) / (1 - rate));
  });

  test("passes gradients through what it keeps, scaled the same", () => {
    const x = add(numbers(1, [20, 5]), 3);
    const gradient = grad((at: typeof x) => sum(multiply(dropout(randomKey(2), at, 0.5), 1)))(x);
    expectSame(gradient, divide(dropout(randomKey(2), x, 0.5), x));
  });

  test("with rate 0 is nothing", () => {
    const x = numbers(1, [3]);
    expect(dropout(randomKey(1), x, 0)).toBe(x);
  });

  test.each([1, -0.5, Number.NaN])("refuses a rate of %d", (rate) => {
    expect(() => dropout(randomKey(1), numbers(1, [3]), rate)).toThrow(
      `dropout: rate must be a number at least 0 and less than 1, but is ${rate}`,
    );
  });
});
