/** Comparing what kernels compute with what the reference does. */

import { expect } from "vitest";
import { HostTensor, type Tensor, type TensorTree, tensorsByPath } from "../src/tensor/index.js";

/** How close numbers are to be. */
export interface Closeness {
  /** Largest error, as a part of the size of a number; 0: the same bits. */
  readonly tolerance: number;
  /** What errors are measured by, if that is more than the size of the expected number. */
  readonly size?: Tensor | undefined;
  /** What comes of denormal numbers as zeros: that is right, too, element by element, and so are denormal numbers in the place of zeros. */
  readonly or?: TensorTree | undefined;
}

/** The smallest normal float32: what is smaller may be taken for 0. */
const SMALLEST_NORMAL = 1.1754943508222875e-38;

const flush = (x: number): number => (Math.abs(x) < SMALLEST_NORMAL ? 0 : x);
const isSame = (a: number, b: number): boolean => Object.is(flush(a), flush(b));

const typesOf = (tree: TensorTree): string[] =>
  tensorsByPath(tree).map(([path, { dtype, shape }]) => `${path} ${dtype}[${shape}]`);

/** Fails unless two trees have tensors of the same types with the same numbers, as close as asked for. */
export function expectNear(actual: TensorTree, expected: TensorTree, { tolerance, size, or }: Closeness): void {
  expect(typesOf(actual)).toEqual(typesOf(expected));
  const others = or === undefined ? undefined : tensorsByPath(or);
  const wanted = tensorsByPath(expected);
  tensorsByPath(actual).forEach(([path, { data, shape }], index) => {
    const goal = wanted[index]![1].data;
    const other = others?.[index]?.[1].data ?? goal;
    for (let k = 0; k < data.length; k++) {
      const got = data[k] as number;
      if (Object.is(got, goal[k]) || (or !== undefined && isSame(got, other[k] as number))) continue;
      if (tolerance > 0) {
        const scale = (want: number) => tolerance * Math.max(Math.abs(want), size?.data[k] ?? 0) + SMALLEST_NORMAL;
        if ([goal, other].some((numbers) => Math.abs(got - numbers[k]!) <= scale(numbers[k]!))) continue;
      }
      const show = (x: number | undefined) => (Object.is(x, -0) ? "-0" : String(x));
      expect.fail(`${path}[${k}] of [${shape}] is ${show(got)}, expected ${show(goal[k])} (tolerance ${tolerance})`);
    }
  });
}

/** The tensors with numbers below the smallest normal one as zeros. */
export const flushed = (inputs: readonly Tensor[]): Tensor[] =>
  inputs.map((x) => (x.dtype === "int32" ? x : new HostTensor(x, Float32Array.from(x.data, flush))));
