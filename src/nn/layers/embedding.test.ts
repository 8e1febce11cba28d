/** The table of token vectors. */

import { describe, expect, test } from "vitest";
import { expectSame, f64, int32, numbers } from "../../../test/close.js";
import { OptionError, ShapeError } from "../../core/index.js";
import { multiply, randomKey, sum } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import type { Tensor } from "../../tensor/index.js";
import { grad } from "../../transforms/index.js";
import { embedding } from "./embedding.js";

const total = (data: Tensor["data"]): number => Array.from(data).reduce((partial, value) => partial + value, 0);

describe("embedding", () => {
  const layer = embedding({ size: 4, outputSize: 2 });
  const table = f64([0, 1, 10, 11, 20, 21, 30, 31], [4, 2]);

  test("gives each token its row", () => {
    const tokens = int32([3, 0, 1, 3], [2, 2]);
    expectSame(layer.apply({ table }, tokens), f64([30, 31, 0, 1, 10, 11, 30, 31], [2, 2, 2]));
  });

  test("adds up the gradients of a token that comes more than once", () => {
    const [tokens, weights] = [int32([3, 1, 3, 3]), f64([1, 10, 2, 20, 3, 30, 4, 40], [4, 2])];
    const gradient = grad((p: { readonly table: typeof table }) => sum(multiply(layer.apply(p, tokens), weights)));
    const expected = { table: f64([0, 0, 2, 20, 0, 0, 1 + 3 + 4, 10 + 30 + 40], [4, 2]) };
    expectSame(gradient({ table }), expected);
    expectSame(compile((t: typeof table) => gradient({ table: t }))(table), expected);
  });

  test("starts with standard normal entries", () => {
    const { data } = embedding({ size: 100, outputSize: 50 }).init(randomKey(1)).table;
    const mean = total(data) / 5000;
    const variance = total(data.map((value) => value * value)) / 5000 - mean ** 2;
    expect(Math.abs(mean)).toBeLessThan(3 / Math.sqrt(5000));
    expect(Math.abs(variance - 1)).toBeLessThan(3 * Math.sqrt(2 / 5000));
  });

  test("refuses a token outside the table", () => {
    for (const token of [-1, 4]) {
      expect(() => layer.apply({ table }, int32([token]))).toThrow(ShapeError);
      expect(() => layer.apply({ table }, int32([token]))).toThrow(`there is no row ${token}; the table has 4 rows`);
      expect(() => compile(layer.apply)({ table }, int32([token]))).toThrow(`there is no row ${token}`);
    }
  });

  test("refuses tokens that are not integers, and sizes below 1", () => {
    expect(() => layer.apply({ table }, numbers(1, [2]))).toThrow("gather: indices must be int32, but are float64[2]");
    expect(() => embedding({ size: 0, outputSize: 2 })).toThrow(OptionError);
    expect(() => embedding({ size: 2, outputSize: 0.5 })).toThrow(
      "embedding: outputSize must be a whole number of at least 1, but is 0.5",
    );
  });
});
