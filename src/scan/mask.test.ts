/** Masks of ragged batches. */

import { describe, expect, test } from "vitest";
import { expectSame, f64, int32 } from "../../test/close.js";
import { ShapeError } from "../core/index.js";
import { compile } from "../runtime/index.js";
import type { Tensor } from "../tensor/index.js";
import { lengthMask, paddingMask } from "./index.js";

describe("lengthMask", () => {
  test("is 1 at the first steps of each sequence, as many as it has", () => {
    const mask = int32([1, 0, 1, 1, 0, 0, 1, 0, 0], [3, 3]);
    expectSame(lengthMask(int32([3, 0, 1]), 3), mask);
    expectSame(compile((lengths: Tensor) => lengthMask(lengths, 3))(int32([3, 0, 1])), mask);
    expect(lengthMask(int32([0, 0]), 0).shape).toEqual([0, 2]);
  });

  test("refuses lengths outside [0, time]", () => {
    expect(() => lengthMask(int32([4]), 3)).toThrow(ShapeError);
    expect(() => lengthMask(int32([4]), 3)).toThrow("sequenceLengths: 4 is outside [0, 3], the number of time steps");
    expect(() => lengthMask(int32([1], []), 3)).toThrow("sequenceLengths must be int32[batch], but is int32[]");
    expect(() => lengthMask(f64([1]), 3)).toThrow("sequenceLengths must be int32[batch], but is float64[1]");
  });
});

describe("paddingMask", () => {
  test("is 1 where the mask and the lengths both say so", () => {
    const mask = int32([0, 1, 1, 1, 1, 1], [3, 2]);
    expect(paddingMask({}, 3)).toBe(undefined);
    expect(paddingMask({ mask }, 3)).toBe(mask);
    expectSame(paddingMask({ sequenceLengths: int32([3, 1]) }, 3)!, int32([1, 1, 1, 0, 1, 0], [3, 2]));
    expectSame(paddingMask({ mask, sequenceLengths: int32([3, 1]) }, 3)!, int32([0, 1, 1, 0, 1, 0], [3, 2]));
  });
});
