/** Operations that move elements, one element at a time. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  build,
  element,
  expectTensor,
  float64,
  type Index,
  indicesOf,
  scalar,
  tensors,
  tensorsOf,
} from "../../test/scalar-loops.js";
import { DTypeError, ShapeError } from "../core/index.js";
import { compile } from "../runtime/index.js";
import { type DType, sizeOf, type Tensor, tensor } from "../tensor/index.js";
import * as ops from "./index.js";

const DTYPES = ["float32", "float64", "int32"] as const;

/** A tensor and one of its axes. */
const withAxis = (dtype: DType) =>
  tensors(dtype, true, 1).chain((x) => fc.record({ x: fc.constant(x), axis: fc.nat({ max: x.shape.length - 1 }) }));

/** Eagerly and compiled. */
const expectBoth = (f: (x: Tensor) => Tensor, x: Tensor, wanted: Tensor): void => {
  expectTensor(f(x), wanted);
  expectTensor(compile(f)(x), wanted);
};

describe("fill", () => {
  test.each(DTYPES)("and its relatives hold one %s number everywhere", (dtype) => {
    expectTensor(
      ops.fill([2, 2], 3, dtype),
      build(dtype, [2, 2], () => 3),
    );
    expectTensor(
      ops.zeros([0, 2], dtype),
      build(dtype, [0, 2], () => 0),
    );
    expectTensor(ops.ones([], dtype), scalar(1, dtype));
    expectTensor(
      ops.zerosLike({ dtype, shape: [3] }),
      build(dtype, [3], () => 0),
    );
    expectTensor(
      ops.range(4, dtype),
      build(dtype, [4], (k) => k),
    );
    expectTensor(
      ops.identity(3, dtype),
      build(dtype, [3, 3], (i, j) => (i === j ? 1 : 0)),
    );
    expectTensor(
      ops.identity(0, dtype),
      build(dtype, [0, 0], () => 0),
    );
  });

  test("does not take a length that is no whole number of at least 0", () => {
    const message = "fill: [2,-1] is no shape; lengths must be whole numbers of at least 0";
    expect(() => ops.zeros([2, -1])).toThrow(new ShapeError(message));
    expect(() => ops.ones([1.5])).toThrow(ShapeError);
  });
});

describe("reshape", () => {
  test.each(DTYPES)("keeps the row-major order of %s elements", (dtype) => {
    const shape = (x: Tensor) => [...x.shape].reverse();
    fc.assert(
      fc.property(tensors(dtype, true), (x) => {
        const order = indicesOf(x.shape);
        const places = indicesOf(shape(x)).map(String);
        const wanted = build(dtype, shape(x), (...index) =>
          element(x, ...(order[places.indexOf(`${index}`)] as Index)),
        );
        expectBoth((y) => ops.reshape(y, shape(y)), x, wanted);
      }),
      { numRuns: 50 },
    );
  });

  test("computes one length", () => {
    expect(ops.reshape(ops.zeros([2, 6]), [3, -1]).shape).toEqual([3, 4]);
    expect(ops.reshape(ops.zeros([0, 6]), [-1, 3]).shape).toEqual([0, 3]);
  });

  test.each([
    [[2, 3], "reshape: float32[4] has 4 elements, but [2,3] has 6"],
    [[3, -1], "reshape: float32[4] does not divide into [3,-1]"],
    [[-1, -1], "reshape: float32[4] does not divide into [-1,-1]"],
    [[-2, -2], "reshape: [-2,-2] is no shape; lengths must be whole numbers of at least 0"],
    [[8, 0.5], "reshape: [8,0.5] is no shape; lengths must be whole numbers of at least 0"],
  ])("of 4 elements to [%s] is an error", (shape, message) => {
    expect(() => ops.reshape(ops.zeros([4]), shape)).toThrow(new ShapeError(message));
  });

  test("expandDims and squeeze insert and remove an axis of length 1", () => {
    const x = tensor([[1, 2, 3]]);
    expectTensor(ops.expandDims(x, 1), tensor([[[1, 2, 3]]]));
    expect(ops.expandDims(x, -1).shape).toEqual([1, 3, 1]);
    expect(ops.expandDims(x, 0).shape).toEqual([1, 1, 3]);
    expectTensor(ops.squeeze(x, 0), tensor([1, 2, 3]));
    expect(() => ops.squeeze(x, -1)).toThrow(new ShapeError("squeeze: axis -1 of float32[1,3] has length 3, not 1"));
    expect(() => ops.expandDims(x, 3)).toThrow("expandDims: there is no axis 3 in a tensor with 3 axes");
  });
});

describe("transpose", () => {
  test.each(DTYPES)("moves axis axes[k] of %s to place k", (dtype) => {
    const ordered = tensors(dtype, true).chain((x) => {
      const axes = x.shape.map((_, axis) => axis);
      return fc.record({ x: fc.constant(x), axes: fc.shuffledSubarray(axes, { minLength: axes.length }) });
    });
    fc.assert(
      fc.property(ordered, ({ x, axes }) => {
        const shape = axes.map((axis) => x.shape[axis] as number);
        const wanted = build(dtype, shape, (...index) => {
          const source = new Array<number>(axes.length);
          axes.forEach((axis, place) => {
            source[axis] = index[place] as number;
          });
          return element(x, ...source);
        });
        expectBoth((y) => ops.transpose(y, axes), x, wanted);
      }),
      { numRuns: 50 },
    );
  });

  test("reverses all axes by default", () => {
    expectTensor(
      ops.transpose(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
      ),
      tensor([
        [1, 4],
        [2, 5],
        [3, 6],
      ]),
    );
  });

  test("needs every axis once", () => {
    const message = "transpose: [0,0] is no order of the 2 axes of float32[2,2]";
    expect(() => ops.transpose(ops.zeros([2, 2]), [0, 0])).toThrow(new ShapeError(message));
    expect(() => ops.transpose(ops.zeros([2, 2]), [1])).toThrow(ShapeError);
  });
});

describe("slice", () => {
  test.each(DTYPES)("takes every step-th %s element from start to end, counted from either side", (dtype) => {
    const cut = withAxis(dtype).chain(({ x, axis }) => {
      const length = x.shape[axis] as number;
      return fc
        .tuple(fc.nat({ max: length }), fc.nat({ max: length }), fc.integer({ min: 1, max: 3 }), fc.boolean())
        .map(([a, b, step, negative]) => ({ x, axis, start: Math.min(a, b), end: Math.max(a, b), step, negative }));
    });
    fc.assert(
      fc.property(cut, ({ x, axis, start, end, step, negative }) => {
        const length = x.shape[axis] as number;
        const taken: number[] = [];
        for (let k = start; k < end; k += step) taken.push(k);
        const wanted = build(dtype, x.shape.with(axis, taken.length), (...index) =>
          element(x, ...index.with(axis, taken[index[axis] as number] as number)),
        );
        const first = negative && start < length ? start - length : start;
        const last = negative && end < length ? end - length : end;
        expectBoth((y) => ops.slice(y, axis, first, last, step), x, wanted);
      }),
      { numRuns: 80 },
    );
  });

  test("does not reach outside", () => {
    const message = "slice: [1, 5) with step 1 is not inside axis 0 of float32[4]";
    expect(() => ops.slice(ops.zeros([4]), 0, 1, 5)).toThrow(new ShapeError(message));
    expect(() => ops.slice(ops.zeros([4]), 0, 3, 2)).toThrow(ShapeError);
    expect(() => ops.slice(ops.zeros([4]), 0, 0, 4, 0)).toThrow(ShapeError);
  });

  test("split cuts into equal parts", () => {
    const parts = ops.split(
      tensor([
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ]),
      2,
    );
    expectTensor(
      parts[0] as Tensor,
      tensor([
        [1, 2],
        [5, 6],
      ]),
    );
    expectTensor(
      parts[1] as Tensor,
      tensor([
        [3, 4],
        [7, 8],
      ]),
    );
    expect(ops.split(ops.zeros([0, 2]), 3, 0).map(({ shape }) => shape)).toEqual([
      [0, 2],
      [0, 2],
      [0, 2],
    ]);
  });

  test.each([3, 0, -2, 0.5])("split into %s parts of 4 elements is an error", (count) => {
    const message = `split: axis -1 of float32[4] has length 4, no multiple of ${count}`;
    expect(() => ops.split(ops.zeros([4]), count)).toThrow(new ShapeError(message));
  });

  test("at takes one index away", () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expectTensor(ops.at(x, 1), tensor([4, 5, 6]));
    expectTensor(ops.at(x, -1, 1), tensor([3, 6]));
    expectTensor(ops.at(x, -3, -1), tensor([1, 4]));
  });

  test.each([3, -4, -5, 0.5])("at index %s of 3 is an error", (index) => {
    const message = `at: there is no index ${index} along axis 0 of float32[3]`;
    expect(() => ops.at(ops.zeros([3]), index)).toThrow(new ShapeError(message));
  });
});

test.each(DTYPES)("pad adds zeros before and after %s elements", (dtype) => {
  const padded = fc.record({ both: withAxis(dtype), before: fc.nat({ max: 2 }), after: fc.nat({ max: 2 }) });
  fc.assert(
    fc.property(padded, ({ both: { x, axis }, before, after }) => {
      const length = x.shape[axis] as number;
      const wanted = build(dtype, x.shape.with(axis, before + length + after), (...index) => {
        const k = (index[axis] as number) - before;
        return k >= 0 && k < length ? element(x, ...index.with(axis, k)) : 0;
      });
      expectBoth((y) => ops.pad(y, axis, before, after), x, wanted);
    }),
    { numRuns: 50 },
  );
});

describe("concatenate", () => {
  test.each(DTYPES)("joins %s tensors along any axis", (dtype) => {
    const joined = withAxis(dtype).chain(({ x, axis }) =>
      fc
        .array(fc.nat({ max: 3 }), { maxLength: 3 })
        .chain((lengths) => fc.tuple(...lengths.map((length) => tensorsOf(dtype, x.shape.with(axis, length), true))))
        .map((others) => ({ axis, parts: [x, ...others] })),
    );
    fc.assert(
      fc.property(joined, ({ axis, parts }) => {
        const first = parts[0] as Tensor;
        const places = parts.flatMap((part) =>
          Array.from({ length: part.shape[axis] as number }, (_, k) => ({ part, k })),
        );
        const wanted = build(dtype, first.shape.with(axis, places.length), (...index) => {
          const { part, k } = places[index[axis] as number] as { part: Tensor; k: number };
          return element(part, ...index.with(axis, k));
        });
        expectTensor(ops.concatenate(parts, axis), wanted);
        expectTensor(ops.concatenate(parts, axis - first.shape.length), wanted);
        expectTensor(compile((...all: Tensor[]) => ops.concatenate(all, axis))(...parts), wanted);
      }),
      { numRuns: 50 },
    );
  });

  test("names tensors that differ in type or in another axis", () => {
    expect(() => ops.concatenate([ops.zeros([2]), float64(1)])).toThrow(
      new DTypeError("concatenate: float64[1] and float32[2] differ in type"),
    );
    expect(() => ops.concatenate([ops.zeros([2, 3]), ops.zeros([3, 3])], 1)).toThrow(
      new ShapeError("concatenate: float32[3,3] and float32[2,3] differ in another axis than axis 1"),
    );
    expect(() => ops.concatenate([])).toThrow(new ShapeError("concatenate: needs at least one tensor"));
  });

  test("does not join tensors with different numbers of axes", () => {
    expect(() => ops.concatenate([ops.zeros([2, 3]), ops.zeros([2])], 1)).toThrow(
      new ShapeError("concatenate: float32[2] and float32[2,3] differ in another axis than axis 1"),
    );
  });

  test("stack joins along a new axis", () => {
    const [a, b] = [tensor([1, 2, 3]), tensor([4, 5, 6])];
    expectTensor(
      ops.stack([a, b]),
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    );
    expectTensor(
      ops.stack([a, b], -1),
      tensor([
        [1, 4],
        [2, 5],
        [3, 6],
      ]),
    );
    expectTensor(ops.stack([scalar(1), scalar(2)]), float64(1, 2));
  });
});

test.each(DTYPES)("reverse turns an axis of %s around", (dtype) => {
  fc.assert(
    fc.property(withAxis(dtype), ({ x, axis }) => {
      const last = (x.shape[axis] as number) - 1;
      const wanted = build(dtype, x.shape, (...index) =>
        element(x, ...index.with(axis, last - (index[axis] as number))),
      );
      expectBoth((y) => ops.reverse(y, axis), x, wanted);
    }),
    { numRuns: 50 },
  );
});

test("an operation on tensors without elements gives a tensor without elements", () => {
  const empty = ops.zeros([2, 0, 3]);
  for (const f of [ops.tanh, ops.reverse, ops.transpose, (x: Tensor) => ops.pad(x, 0, 1, 1)]) {
    expect(sizeOf(f(empty).shape)).toBe(0);
  }
});
