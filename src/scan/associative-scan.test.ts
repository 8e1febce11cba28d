/** The associative scan against the loop that it stands for. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { ShapeError } from "../core/index.js";
import { add, at, matmul, maximum, multiply, stack } from "../ops/index.js";
import { trace } from "../program/index.js";
import { compile } from "../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree, tensor, tensorsByPath } from "../tensor/index.js";
import { checkGradients } from "../transforms/index.js";
import { associativeScan } from "./index.js";

/** The definition, one element after the other. */
function loop<T extends TensorTree>(combine: (a: T, b: T) => T, elements: T, reverse = false): T {
  const length = tensorsByPath(elements)[0]![1].shape[0]!;
  const element = (t: number): T => mapTensors((leaf) => at(leaf, t), elements);
  const order = Array.from({ length }, (_, t) => (reverse ? length - 1 - t : t));
  const results: T[] = [];
  order.forEach((t, index) => {
    results[t] = index === 0 ? element(t) : combine(results[order[index - 1]!]!, element(t));
  });
  return mapTensors((_, ...leaves) => stack(leaves), elements, ...results);
}

type Affine = { readonly a: Tensor; readonly b: Tensor };
/** x -> a x + b, first the accumulated map, then the next: associative, but the order matters. */
const compose = (first: Affine, next: Affine): Affine => ({
  a: multiply(next.a, first.a),
  b: add(multiply(next.a, first.b), next.b),
});
const maps = (time: number): Affine => ({ a: numbers(1, [time, 2, 3]), b: numbers(2, [time, 2, 3]) });

describe("associativeScan", () => {
  test("gives running sums", () => {
    expectSame(associativeScan(add, tensor([1, 2, 3])), tensor([1, 3, 6])); // the example of its documentation
    expectSame(associativeScan(add, tensor([1, 2, 3]), { reverse: true }), tensor([6, 5, 3]));
  });

  test("equals the loop for every length up to 40, in both directions, for maps whose order matters", () => {
    for (let time = 1; time <= 40; time++) {
      for (const reverse of [false, true]) {
        const found = associativeScan(compose, maps(time), { reverse });
        expectClose(found, loop(compose, maps(time), reverse), TOLERANCES.float64);
      }
    }
  });

  test("equals the loop on products of matrices, compiled too", () => {
    const product = (first: Tensor, next: Tensor) => matmul(next, first);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 33 }), fc.integer({ min: 0, max: 1000 }), (time, seed) => {
        const elements = numbers(seed, [time, 3, 3]);
        expectClose(associativeScan(product, elements), loop(product, elements), TOLERANCES.float64);
      }),
      { numRuns: 30 },
    );
    const elements = numbers(3, [21, 3, 3]);
    const compiled = compile((given: Tensor) => associativeScan(product, given));
    expectClose(compiled(elements), loop(product, elements), TOLERANCES.float64);
  });

  test("gives exactly the running maximum, which no order of combination changes", () => {
    const elements = numbers(4, [100], "float32");
    expectSame(associativeScan(maximum, elements), loop(maximum, elements));
  });

  test("leaves no element as it is, and one too, without a call of combine", () => {
    const never = (): never => expect.fail("combine was called");
    for (const time of [0, 1]) expectSame(associativeScan<Affine>(never, maps(time)), maps(time));
  });

  test("combines all pairs of a round at once: the number of operations grows like the logarithm of the length", () => {
    const additions = (time: number): number => {
      const { program } = trace((xs) => [associativeScan(add, xs as Tensor)], [{ dtype: "float32", shape: [time] }]);
      return program.equations.filter(({ primitive }) => primitive.name === "add").length;
    };
    expect([2, 4, 8, 1024, 1 << 20].map(additions)).toEqual([1, 3, 5, 19, 39]);
  });

  test.each([1, 2, 5, 8])("has gradients of first and second order that agree with differences (time %i)", (time) => {
    for (const reverse of [false, true]) {
      const run = (elements: Affine) => associativeScan(compose, elements, { reverse });
      expect(checkGradients(run, [maps(time)]).maxError).toBeLessThan(TOLERANCES.gradient);
    }
  });

  test("names what does not fit", () => {
    const uneven = { a: f64([1, 2, 3]), b: f64([1, 2]) };
    expect(() => associativeScan(compose, uneven)).toThrow(ShapeError);
    expect(() => associativeScan(compose, uneven)).toThrow("associativeScan: b has 2 time steps, but a has 3");
    expect(() => associativeScan(add, f64([1], []))).toThrow(
      "associativeScan: the tensor is float64[]; it needs a time axis",
    );
    expect(() => associativeScan(add, f64([1]), { revers: true } as object)).toThrow(
      'associativeScan: there is no option "revers"; the options are reverse',
    );
  });
});
