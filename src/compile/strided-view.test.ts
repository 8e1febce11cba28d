import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indicesOf } from "../../test/scalar-loops.js";
import { broadcastTo, reshape, reverse, slice, tanh, transpose, unfold } from "../ops/index.js";
import { evaluateProgram, trace } from "../program/index.js";
import { HostTensor, type Shape, sizeOf, stridesOf, type Tensor } from "../tensor/index.js";
import { isViewOperation, type StridedView, viewThrough, wholeView } from "./strided-view.js";

/** A tensor whose elements are their own places in memory. */
const places = (shape: Shape): HostTensor =>
  new HostTensor(
    { dtype: "float64", shape },
    Float64Array.from({ length: sizeOf(shape) }, (_, place) => place),
  );

const placeOf = ({ offset, strides }: StridedView, index: readonly number[]): number =>
  index.reduce((place, step, axis) => place + step * strides[axis]!, offset);

/** The only view that the elements of a tensor of places can be, if they are one. */
function viewOf({ shape, data }: Tensor): StridedView | undefined {
  if (data.length === 0) return { offset: 0, strides: shape.map(() => 0) };
  const own = stridesOf(shape);
  const offset = data[0] as number;
  const strides = shape.map((length, axis) => (length > 1 ? (data[own[axis]!] as number) - offset : 0));
  const isView = indicesOf(shape).every((index, k) => placeOf({ offset, strides }, index) === data[k]);
  return isView ? { offset, strides } : undefined;
}

/** One random operation; the numbers are cut to what the shape allows. */
const step = fc.record({ kind: fc.nat({ max: 5 }), choices: fc.array(fc.nat({ max: 30 }), { minLength: 4 }) });

function apply(x: Tensor, { kind, choices }: { kind: number; choices: number[] }): Tensor {
  const [a, b, c, d] = choices as [number, number, number, number];
  const rank = x.shape.length;
  if (kind === 4) return reshape(x, shapeOfSize(sizeOf(x.shape), choices));
  if (kind === 3) return sizeOf(x.shape) > 60 ? x : broadcastTo(x, [(a % 3) + 1, ...x.shape]);
  if (rank === 0) return x;
  const axis = a % rank;
  if (kind === 0) {
    const length = x.shape[axis]!;
    const start = b % (length + 1);
    return slice(x, axis, start, start + (c % (length - start + 1)), (d % 3) + 1);
  }
  if (kind === 5) return unfold(x, axis, { size: (b % 3) + 1, stride: (c % 2) + 1, dilation: (d % 2) + 1, into: rank });
  return kind === 1 ? reverse(x, axis) : transpose(x, rotated(x, b));
}

const rotated = ({ shape }: Tensor, by: number): number[] =>
  shape.map((_, axis) => (axis + by) % shape.length).with(0, by % shape.length);

/** Some shape with so many elements. */
function shapeOfSize(size: number, choices: readonly number[]): number[] {
  if (size === 0) return [choices[0]! % 3, 0];
  const shape: number[] = [];
  let left = size;
  for (const choice of choices) {
    const divisors = Array.from({ length: left }, (_, k) => k + 1).filter((k) => left % k === 0);
    const next = divisors[choice % divisors.length]!;
    shape.push(next);
    left /= next;
  }
  return left === 1 ? shape : [...shape, left];
}

describe("a view through a chain of operations", () => {
  test("is where evaluation finds the elements, and is there whenever there is one", () => {
    let [views, copies] = [0, 0];
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
        fc.array(step, { minLength: 1, maxLength: 6 }),
        (shape, steps) => {
          const { program } = trace((x) => [steps.reduce(apply, x as Tensor)], [{ dtype: "float64", shape }]);
          let view: StridedView | undefined = wholeView(shape);
          for (const equation of program.equations) {
            expect(isViewOperation(equation)).toBe(true);
            view = viewThrough(equation, view);
            const outputs = [equation.outputs[0]!];
            const [found] = evaluateProgram({ ...program, outputs }, [places(shape)]) as [HostTensor];
            const expected = viewOf(found);
            expect(view === undefined).toBe(expected === undefined);
            if (view === undefined) {
              copies += 1;
              return;
            }
            views += 1;
            const strides = found.shape.map((length, axis) => (length > 1 ? view!.strides[axis]! + 0 : 0));
            if (found.data.length > 0) expect({ ...view, strides }).toEqual(expected);
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(views).toBeGreaterThan(500);
    expect(copies).toBeGreaterThan(5);
  });
});

test("other operations are no views", () => {
  const { program } = trace((x) => [tanh(x as Tensor)], [{ dtype: "float64", shape: [2] }]);
  const [equation] = program.equations;
  expect(isViewOperation(equation!)).toBe(false);
  expect(viewThrough(equation!, wholeView([2]))).toBeUndefined();
});

test.each<[string, Shape, (x: Tensor) => Tensor, StridedView | undefined]>([
  ["slice", [4, 6], (x) => slice(x, 1, 1, 6, 2), { offset: 1, strides: [6, 2] }],
  ["reverse", [4, 6], (x) => reverse(x, 0), { offset: 18, strides: [-6, 1] }],
  ["broadcast", [6], (x) => broadcastTo(x, [4, 6]), { offset: 0, strides: [0, 1] }],
  ["transpose", [2, 3, 4], (x) => transpose(x, [2, 0, 1]), { offset: 0, strides: [1, 12, 4] }],
  ["unfold", [7, 2, 3], (x) => unfold(x, 0, { size: 3, stride: 2, into: 2 }), { offset: 0, strides: [12, 3, 6, 1] }],
  ["reshape", [2, 3, 4], (x) => reshape(x, [6, 4]), { offset: 0, strides: [4, 1] }],
])("%s", (_, shape, f, expected) => {
  const { program } = trace((x) => [f(x as Tensor)], [{ dtype: "float64", shape }]);
  expect(viewThrough(program.equations[0]!, wholeView(shape))).toEqual(expected);
});

test("a transposed matrix as a vector is no view", () => {
  const { program } = trace((x) => [reshape(transpose(x as Tensor), [6])], [{ dtype: "float64", shape: [2, 3] }]);
  const [turned, flat] = program.equations;
  expect(viewThrough(flat!, viewThrough(turned!, wholeView([2, 3]))!)).toBeUndefined();
});
