/** Windows along an axis and their sum, one element at a time. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { build, element, expectTensor, spread, tensorsOf } from "../../test/scalar-loops.js";
import { OptionError, ShapeError } from "../core/index.js";
import { compile } from "../runtime/index.js";
import { type Tensor, tensor } from "../tensor/index.js";
import { multiply, sum } from "./index.js";
import { fold, unfold, windowCount } from "./unfold.js";

/** Shapes of three axes, one of them, and windows along it whose elements stand on an axis behind it. */
const cases = fc
  .record({
    shape: fc.tuple(fc.nat({ max: 7 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 })),
    axis: fc.nat({ max: 2 }),
    behind: fc.nat({ max: 2 }),
    size: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ shape, axis, behind, ...windows }) => ({
    shape,
    axis,
    options: { ...windows, into: axis + 1 + (behind % (3 - axis)) },
  }));

const { size, stride, dilation } = { size: 3, stride: 2, dilation: 2 };

describe("unfold", () => {
  test("takes element i stride + j dilation as element j of window i", () => {
    fc.assert(
      fc.property(cases, fc.constantFrom("float32" as const, "int32" as const), ({ shape, axis, options }, dtype) => {
        const x = build(dtype, shape, (...index) => index.reduce((place, step, k) => place + step * 10 ** k, 1));
        const { into } = options;
        const count = windowCount(shape[axis] as number, options);
        const wanted = build(
          dtype,
          (shape as number[]).with(axis, count).toSpliced(into, 0, options.size),
          (...index) => {
            const [window, k] = [index[axis] as number, index[into] as number];
            return element(x, ...index.toSpliced(into, 1).with(axis, window * options.stride + k * options.dilation));
          },
        );
        expectTensor(unfold(x, axis, options), wanted);
        expectTensor(compile((y: Tensor) => unfold(y, axis, options))(x), wanted);
      }),
      { numRuns: 200 },
    );
  });

  test("has as many windows as fit", () => {
    const first = (length: number, place: number): boolean => place + (size - 1) * dilation < length;
    for (let length = 0; length < 20; length++) {
      const places = Array.from({ length: 10 }, (_, window) => window * stride);
      const fitting = places.filter((place) => first(length, place)).length;
      expect(windowCount(length, { size, stride, dilation })).toBe(fitting);
    }
  });

  test("is the example of its documentation", () => {
    const windows = tensor([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    expectTensor(unfold(tensor([1, 2, 3, 4]), 0, { size: 2 }), windows);
  });

  test("does not take windows that are none, or an axis for them that is not behind", () => {
    const x = spread([4, 3]);
    expect(() => unfold(x, 0, { size: 0 })).toThrow(
      new OptionError("unfold: size must be a whole number of at least 1, but is 0"),
    );
    expect(() => unfold(x, 0, { size: 2, stride: 0.5 })).toThrow("unfold: stride must be a whole number of at least 1");
    expect(() => unfold(x, 0, { size: 2, dilation: -1 })).toThrow("unfold: dilation must be a whole number");
    expect(() => unfold(x, 2, { size: 2 })).toThrow("unfold: there is no axis 2 in a tensor with 2 axes");
    expect(() => unfold(x, 1, { size: 2, into: 1 })).toThrow(
      new ShapeError("unfold: into must be an axis behind axis 1, but is 1"),
    );
    expect(() => unfold(x, 1, { size: 2, step: 1 } as never)).toThrow(
      'unfold: there is no option "step"; the options are size, stride, dilation, into',
    );
  });
});

describe("fold", () => {
  test("is the transpose of unfold: ⟨unfold(x), y⟩ = ⟨x, fold(y)⟩ for whole numbers, exactly", () => {
    const pairs = cases.chain(({ shape, axis, options }) => {
      const { shape: windows } = unfold(
        build("int32", shape, () => 0),
        axis,
        options,
      );
      return fc.record({
        x: tensorsOf("int32", shape),
        y: tensorsOf("int32", windows),
        axis: fc.constant(axis),
        options: fc.constant(options),
      });
    });
    fc.assert(
      fc.property(pairs, ({ x, y, axis, options: { size: _, ...options } }) => {
        const folded = fold(y, axis, x.shape[axis] as number, options);
        const windows = unfold(x, axis, { ...options, size: y.shape[options.into] as number });
        expect(folded.shape).toEqual(x.shape);
        expectTensor(sum(multiply(windows, y)), sum(multiply(x, folded)));
      }),
      { numRuns: 200 },
    );
  });

  test("is the example of its documentation", () => {
    const windows = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expectTensor(fold(windows, 0, 4), tensor([1, 5, 9, 6]));
  });

  test("says how many windows a length has", () => {
    expect(() => fold(spread([3, 2]), 0, 7)).toThrow(
      new ShapeError(
        "fold: axis 0 of float64[3,2] must hold the 6 windows of 2 elements in a length of 7, with stride 1 and dilation 1",
      ),
    );
  });
});
