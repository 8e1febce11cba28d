/** Starting values: ranges, moments, orthogonality. */

import { describe, expect, test } from "vitest";
import { expectSame } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { ShapeError } from "../core/index.js";
import { foldIn, randomKey, slice, split, splitKey } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { glorotUniform, initBlocks, initGates, normalInit, orthogonal, uniformInit, zerosInit } from "./index.js";

/** The largest element of |QᵀQ - I|, or of |QQᵀ - I| for a wide matrix. */
function distanceFromOrthogonal({ data, shape }: Tensor): number {
  const [rows, columns] = shape as [number, number];
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
  const element = (k: number, vector: number) =>
    (rows >= columns ? data[k * columns + vector] : data[vector * columns + k]) as number;
  let largest = 0;
  for (let a = 0; a < short; a++) {
    for (let b = 0; b < short; b++) {
      let product = 0;
      for (let k = 0; k < long; k++) product += element(k, a) * element(k, b);
      largest = Math.max(largest, Math.abs(product - (a === b ? 1 : 0)));
    }
  }
  return largest;
}

const total = (data: Tensor["data"]): number => Array.from(data).reduce((partial, value) => partial + value, 0);

describe("orthogonal", () => {
  test.each([
    [1, 1],
    [2, 2],
    [64, 64],
    [40, 7],
    [7, 40],
    [5, 1],
    [1, 5],
    [128, 127],
  ])("makes orthonormal vectors, %i by %i", (rows, columns) => {
    for (const seed of [1, 2, 3]) {
      expect(distanceFromOrthogonal(orthogonal(randomKey(seed), [rows, columns], "float64"))).toBeLessThan(1e-12);
      expect(distanceFromOrthogonal(orthogonal(randomKey(seed), [rows, columns]))).toBeLessThan(1e-6);
    }
  });

  test("has the same distribution in all directions: each element has mean 0 and mean square 1 / size", () => {
    const [size, draws] = [3, 3000];
    const [sums, squares] = [new Float64Array(9), new Float64Array(9)];
    let determinants = 0;
    for (let draw = 0; draw < draws; draw++) {
      const q = orthogonal(foldIn(randomKey(5), draw), [size, size], "float64").data;
      const at = (r: number, c: number) => q[3 * r + c]!;
      q.forEach((value, k) => {
        sums[k]! += value / draws;
        squares[k]! += (value * value) / draws;
      });
      determinants +=
        at(0, 0) * (at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)) -
        at(0, 1) * (at(1, 0) * at(2, 2) - at(1, 2) * at(2, 0)) +
        at(0, 2) * (at(1, 0) * at(2, 1) - at(1, 1) * at(2, 0));
    }
    // Four standard errors: variance 1/3 of an element, E q⁴ = 3/15 of its square, 1 of the determinant.
    for (let k = 0; k < 9; k++) {
      expect(Math.abs(sums[k]!)).toBeLessThan(4 * Math.sqrt(1 / 3 / draws));
      expect(Math.abs(squares[k]! - 1 / 3)).toBeLessThan(4 * Math.sqrt((3 / 15 - 1 / 9) / draws));
    }
    expect(Math.abs(determinants / draws)).toBeLessThan(4 / Math.sqrt(draws));
  });

  test("is a sign for one by one, both signs", () => {
    const signs = Array.from({ length: 20 }, (_, seed) => orthogonal(randomKey(seed), [1, 1]).data[0]);
    expect(new Set(signs)).toEqual(new Set([1, -1]));
  });

  test("needs a matrix shape", () => {
    expect(() => orthogonal(randomKey(0), [3])).toThrow(ShapeError);
    expect(() => orthogonal(randomKey(0), [3])).toThrow(
      "orthogonal: needs a matrix shape [rows, columns], but was given [3]",
    );
  });
});

describe("glorotUniform", () => {
  test("fills the range of ±√(6 / (fanIn + fanOut)) evenly", () => {
    const { data } = glorotUniform(randomKey(1), [100, 50], "float64");
    const limit = Math.sqrt(6 / 150);
    const [smallest, largest] = [Math.min(...data), Math.max(...data)];
    expect(smallest).toBeGreaterThanOrEqual(-limit);
    expect(largest).toBeLessThan(limit);
    expect(smallest).toBeLessThan(-0.99 * limit);
    expect(largest).toBeGreaterThan(0.99 * limit);
    const meanSquare = total(data.map((value) => value * value)) / data.length;
    // Uniform: E x² = limit²/3, E x⁴ = limit⁴/5.
    expect(Math.abs(meanSquare - limit ** 2 / 3)).toBeLessThan(3 * limit ** 2 * Math.sqrt((1 / 5 - 1 / 9) / 5000));
  });

  test("needs a matrix shape", () => {
    expect(() => glorotUniform(randomKey(0), [2, 3, 4])).toThrow(
      "glorotUniform: needs a matrix shape [rows, columns], but was given [2,3,4]",
    );
  });
});

describe("other starting values", () => {
  test.each(["float32", "float64"] as const)("uniformInit stays in [-limit, limit), in %s", (dtype) => {
    const { data } = uniformInit(0.3)(randomKey(1), [10000], dtype);
    const limit = dtype === "float32" ? Math.fround(0.3) : 0.3;
    expect(data.every((value) => value >= -limit && value < limit)).toBe(true);
    expect(Math.abs(total(data) / 10000)).toBeLessThan((3 * 0.3) / Math.sqrt(3 * 10000));
  });

  test("normalInit has mean 0 and the deviation asked for", () => {
    const { data } = normalInit(2)(randomKey(1), [100, 100], "float64");
    const mean = total(data) / 10000;
    const square = total(data.map((value) => value * value)) / 10000;
    expect(Math.abs(mean)).toBeLessThan((3 * 2) / 100);
    expect(Math.abs(square - 4)).toBeLessThan(3 * 4 * Math.sqrt(2 / 10000));
  });

  test("zerosInit is zeros", () => {
    expect(Array.from(zerosInit(randomKey(1), [3]).data)).toEqual([0, 0, 0]);
  });

  test("initBlocks stacks blocks that are each made on their own", () => {
    const blocks = initBlocks(orthogonal, randomKey(1), 3, [4, 2], "float64");
    expect(blocks.shape).toEqual([12, 2]);
    splitKey(randomKey(1), 3).forEach((key, index) => {
      expectSame(slice(blocks, 0, 4 * index, 4 * index + 4), orthogonal(key, [4, 2], "float64"));
    });
    expect(() => initBlocks(orthogonal, randomKey(1), 0, [4, 2])).toThrow(
      "initBlocks: blocks must be a whole number of at least 1, but is 0",
    );
  });

  test.each([orthogonal, glorotUniform, uniformInit(1), normalInit(1)])(
    "the same key gives the same numbers",
    (init) => {
      expectSame(init(randomKey(1), [4, 3]), init(randomKey(1), [4, 3]));
      expect(init(randomKey(1), [4, 3]).data).not.toEqual(init(randomKey(2), [4, 3]).data);
      expect(init(randomKey(1), [4, 3]).dtype).toBe("float32");
    },
  );
});

test("initGates makes each gate of the recurrent weights orthogonal, and no two alike", () => {
  const { weightIh, weightHh } = initGates(randomKey(5), 3, { inputSize: 2, hiddenSize: 4 }, "float64");
  expect(weightIh.shape).toEqual([12, 2]);
  const gates = split(weightHh, 3, 0);
  for (const gate of gates) expect(distanceFromOrthogonal(gate)).toBeLessThan(TOLERANCES.float64);
  expect(gates[0]).not.toEqual(gates[1]);
});
