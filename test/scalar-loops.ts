/** What expectations are written in: tensors made and read one element at a time, with no help from the operations. */

import fc from "fast-check";
import { expect } from "vitest";
import { allocate, type DType, HostTensor, type Shape, type Tensor } from "../src/tensor/index.js";

export type Index = readonly number[];

/** Every index of a shape, in row-major order. */
export function indicesOf(shape: Shape): Index[] {
  let found: Index[] = [[]];
  for (const length of shape) {
    found = found.flatMap((index) => Array.from({ length }, (_, next) => [...index, next]));
  }
  return found;
}

/** Row-major place of an index. */
function placeOf(shape: Shape, index: Index): number {
  if (index.length !== shape.length) throw new Error(`index [${index}] does not belong to shape [${shape}]`);
  let place = 0;
  index.forEach((step, axis) => {
    if (!(step >= 0 && step < (shape[axis] as number))) throw new Error(`index [${index}] is outside [${shape}]`);
    place = place * (shape[axis] as number) + step;
  });
  return place;
}

/** One element. */
export const element = (x: Tensor, ...index: number[]): number => x.data[placeOf(x.shape, index)] as number;

/** One element of a tensor that is repeated along missing axes and axes of length 1. */
export const repeatedElement = (x: Tensor, index: Index): number => {
  const own = index.slice(index.length - x.shape.length);
  return element(x, ...own.map((step, axis) => (x.shape[axis] === 1 ? 0 : step)));
};

/** A tensor from a function of the index. */
export function build(dtype: DType, shape: Shape, value: (...index: number[]) => number): HostTensor {
  const data = allocate(dtype, indicesOf(shape).length);
  for (const index of indicesOf(shape)) data[placeOf(shape, index)] = value(...index);
  return new HostTensor({ dtype, shape }, data);
}

/** Distinct float64 numbers evenly over (from, to), in a shuffled order. With an even count, none is the middle. */
export function spread(shape: Shape, from = -2, to = 2, shift = 0): HostTensor {
  const count = indicesOf(shape).length;
  const stride = [7, 5, 3, 2, 1].find((step) => count % step !== 0) ?? 1;
  let next = shift;
  return build("float64", shape, () => from + ((to - from) * (((next++ * stride) % count) + 0.5)) / count);
}

export const float64 = (...values: number[]): HostTensor =>
  build("float64", [values.length], (k) => values[k] as number);
export const int32 = (...values: number[]): HostTensor => build("int32", [values.length], (k) => values[k] as number);
export const scalar = (value: number, dtype: DType = "float64"): HostTensor => build(dtype, [], () => value);

/** Expects the same type and, up to the tolerance, the same elements; NaN equals NaN, infinities only themselves. */
export function expectTensor(actual: Tensor, expected: Tensor, tolerance = 0): void {
  expect({ dtype: actual.dtype, shape: actual.shape }).toEqual({ dtype: expected.dtype, shape: expected.shape });
  expect(actual.data.length).toBe(expected.data.length);
  for (let k = 0; k < expected.data.length; k++) {
    const [got, wanted] = [actual.data[k] as number, expected.data[k] as number];
    if (got === wanted || (Number.isNaN(got) && Number.isNaN(wanted))) continue;
    if (Number.isFinite(got) && Math.abs(got - wanted) <= tolerance * (1 + Math.abs(wanted))) continue;
    expect.fail(`element ${k} of [${expected.shape}] is ${got}, expected ${wanted} (tolerance ${tolerance})`);
  }
}

// ------------------------------------------------------------------------------------------------ random tensors

/** Ranks 0 to 3, lengths 0 to 4. */
export const shapes = (minRank = 0, minLength = 0): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: minLength, max: 4 }), { minLength: minRank, maxLength: 3 });

/** Moderate numbers: in [-4, 4], whole ones for int32. */
const numbers = (dtype: DType): fc.Arbitrary<number> =>
  dtype === "int32" ? fc.integer({ min: -5, max: 5 }) : fc.double({ min: -4, max: 4, noNaN: true });

/** The same, with NaN, infinities and signed zeros among them. */
const oddNumbers = (dtype: DType): fc.Arbitrary<number> =>
  dtype === "int32"
    ? numbers(dtype)
    : fc.oneof(
        { weight: 4, arbitrary: numbers(dtype) },
        { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, 0, -0) },
      );

/** Tensors of one shape. */
export const tensorsOf = (dtype: DType, shape: Shape, odd = false): fc.Arbitrary<HostTensor> => {
  const length = indicesOf(shape).length;
  return fc
    .array(odd ? oddNumbers(dtype) : numbers(dtype), { minLength: length, maxLength: length })
    .map((values) => new HostTensor({ dtype, shape }, Object.assign(allocate(dtype, length), values)));
};

/** Tensors of random shapes. */
export const tensors = (dtype: DType, odd = false, minRank = 0, minLength = 0): fc.Arbitrary<HostTensor> =>
  shapes(minRank, minLength).chain((shape) => tensorsOf(dtype, shape, odd));

/** A shape and shapes that repeat to it: leading axes missing, others of length 1. */
export const broadcastable = (count: number): fc.Arbitrary<{ shape: number[]; inner: number[][] }> =>
  shapes()
    .chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.array(
          fc.record({ missing: fc.nat({ max: shape.length }), single: fc.array(fc.boolean(), { minLength: 3 }) }),
          { minLength: count, maxLength: count },
        ),
      ),
    )
    .map(([whole, cuts]) => {
      const inner = cuts.map(({ missing, single }) =>
        whole.map((length, axis) => (single[axis] ? 1 : length)).slice(missing),
      );
      const shape: number[] = [];
      for (let back = 1; back <= Math.max(...inner.map(({ length }) => length), 0); back++) {
        const lengths = inner.map((own) => own.at(-back) ?? 1);
        shape.unshift(lengths.find((length) => length !== 1) ?? 1);
      }
      return { shape, inner };
    });

/** One tensor for each of the inner shapes of `broadcastable`. */
export const broadcastTensors = (
  dtype: DType,
  count: number,
  odd = false,
): fc.Arbitrary<{ shape: number[]; inputs: HostTensor[] }> =>
  broadcastable(count).chain(({ shape, inner }) =>
    fc.tuple(...inner.map((own) => tensorsOf(dtype, own, odd))).map((inputs) => ({ shape, inputs })),
  );
