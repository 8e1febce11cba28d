/** Comparing trees of tensors by their numbers, and small tensors for tests. */

import { expect } from "vitest";
import { randomKey, uniform } from "../src/ops/index.js";
import {
  type FloatDType,
  HostTensor,
  type Shape,
  sizeOf,
  type Tensor,
  type TensorTree,
  tensorsByPath,
} from "../src/tensor/index.js";

/** The largest |actual - expected| / (1 + |expected|), and where it is; NaN counts as infinitely far. */
export function largestError(actual: TensorTree, expected: TensorTree): { error: number; where: string } {
  const found = tensorsByPath(actual);
  const wanted = tensorsByPath(expected);
  expect(found.map(([path, { shape }]) => `${path} [${shape}]`)).toEqual(
    wanted.map(([path, { shape }]) => `${path} [${shape}]`),
  );
  let largest = { error: 0, where: "nowhere" };
  found.forEach(([path, { data }], index) => {
    const goal = wanted[index]![1].data;
    for (let k = 0; k < data.length; k++) {
      const distance = Math.abs(data[k]! - goal[k]!) / (1 + Math.abs(goal[k]!));
      const error = data[k] === goal[k] ? 0 : Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
      if (error > largest.error) largest = { error, where: `${path}[${k}]: ${data[k]}, expected ${goal[k]}` };
    }
  });
  return largest;
}

/** Fails unless both trees have the same tensors, each number within `tolerance` (relative to 1 + its size). */
export function expectClose(actual: TensorTree, expected: TensorTree, tolerance: number): void {
  const { error, where } = largestError(actual, expected);
  if (error > tolerance) expect.fail(`differs by ${error.toExponential(2)} (allowed ${tolerance}) at ${where}`);
}

/** Fails unless both trees hold exactly the same numbers. */
export const expectSame = (actual: TensorTree, expected: TensorTree): void => expectClose(actual, expected, 0);

/** Numbers in [-1, 1) that are the same in every run. */
export function numbers(seed: number, shape: Shape, dtype: FloatDType = "float64"): Tensor {
  const { data } = uniform(randomKey(seed), shape, "float64");
  const values = dtype === "float32" ? new Float32Array(sizeOf(shape)) : new Float64Array(sizeOf(shape));
  for (let k = 0; k < values.length; k++) values[k] = 2 * data[k]! - 1;
  return new HostTensor({ dtype, shape }, values);
}

/** A float64 tensor. */
export const f64 = (values: readonly number[], shape: Shape = [values.length]): Tensor =>
  new HostTensor({ dtype: "float64", shape }, Float64Array.from(values));

/** An int32 tensor. */
export const int32 = (values: readonly number[], shape: Shape = [values.length]): Tensor =>
  new HostTensor({ dtype: "int32", shape }, Int32Array.from(values));
