/** Linear recurrences, real and complex, in both ways, against loops over plain numbers. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, int32, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError, ShapeError } from "../../core/index.js";
import { fill, zeros } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { mapTensors, type Tensor } from "../../tensor/index.js";
import { checkGradients } from "../../transforms/index.js";
import type { Complex } from "./complex.js";
import { type Linear, type LinearRecurrenceOptions, linearRecurrence } from "./linear-recurrence.js";

const METHODS = ["sequential", "associative"] as const;
const complexNumbers = (seed: number, shape: readonly number[]): Complex => ({
  re: numbers(seed, shape),
  im: numbers(seed + 1, shape),
});

/** The definition for `[time, batch, size]`, one number after the other; real numbers are complex ones without imaginary part. */
function loop(a: Complex, b: Complex, initial: Complex, options: LinearRecurrenceOptions<Complex>): [Complex, Complex] {
  const [time, batch, size] = b.re.shape as [number, number, number];
  const states = { re: new Float64Array(time * batch * size), im: new Float64Array(time * batch * size) };
  const last = { re: Float64Array.from(initial.re.data), im: Float64Array.from(initial.im.data) };
  const reset = options.resetState ?? initial;
  for (let step = 0; step < time; step++) {
    const t = options.reverse ? time - 1 - step : step;
    for (let row = 0; row < batch; row++) {
      const [real, restart] = [options.mask?.data[t * batch + row] ?? 1, options.resetMask?.data[t * batch + row] ?? 0];
      for (let k = 0; k < size; k++) {
        const [here, there] = [row * size + k, (t * batch + row) * size + k];
        const [hr, hi] = restart ? [reset.re.data[here]!, reset.im.data[here]!] : [last.re[here]!, last.im[here]!];
        const [ar, ai] = [a.re.data[there]!, a.im.data[there]!];
        last.re[here] = real ? ar * hr - ai * hi + b.re.data[there]! : hr;
        last.im[here] = real ? ar * hi + ai * hr + b.im.data[there]! : hi;
        states.re[there] = last.re[here]!;
        states.im[there] = last.im[here]!;
      }
    }
  }
  const wrap = (parts: typeof last, shape: readonly number[]): Complex => ({
    re: f64(Array.from(parts.re), shape),
    im: f64(Array.from(parts.im), shape),
  });
  return [wrap(last, [batch, size]), wrap(states, [time, batch, size])];
}

const without = ({ shape }: Tensor): Tensor => zeros(shape, "float64");
const bits = (count: number, shape: readonly number[]) =>
  fc.array(fc.nat({ max: 1 }), { minLength: count, maxLength: count }).map((values) => int32(values, shape));

describe("linearRecurrence", () => {
  test.each(METHODS)(
    "equals the loop for real and complex numbers, with padding and restarts, both ways (%s)",
    (method) => {
      const cases = fc
        .record({
          time: fc.nat({ max: 20 }),
          batch: fc.integer({ min: 1, max: 3 }),
          size: fc.integer({ min: 1, max: 3 }),
        })
        .chain(({ time, batch, size }) =>
          fc.record({
            shape: fc.constant([time, batch, size] as const),
            seed: fc.nat({ max: 1000 }),
            reverse: fc.boolean(),
            mask: fc.option(bits(time * batch, [time, batch]), { nil: undefined }),
            resetMask: fc.option(bits(time * batch, [time, batch]), { nil: undefined }),
            hasResetState: fc.boolean(),
          }),
        );
      fc.assert(
        fc.property(cases, ({ shape, seed, reverse, mask, resetMask, hasResetState }) => {
          const [, ...state] = shape;
          const [a, b, initial] = [
            complexNumbers(seed, shape),
            complexNumbers(seed + 2, shape),
            complexNumbers(seed + 4, state),
          ];
          const resetState = resetMask && hasResetState ? complexNumbers(seed + 6, state) : undefined;
          const options = { reverse, ...(mask && { mask }), ...(resetMask && { resetMask }) };
          const given = { ...options, ...(resetState && { resetState }) };
          const found = linearRecurrence<Complex>(a, b, initial, { ...given, method });
          expectClose(found, loop(a, b, initial, given), TOLERANCES.float64);

          const real = ({ re }: Complex): Complex => ({ re, im: without(re) });
          const ofReal = linearRecurrence(a.re, b.re, initial.re, {
            ...options,
            ...(resetState && { resetState: resetState.re }),
            method,
          });
          const expected = loop(real(a), real(b), real(initial), {
            ...options,
            ...(resetState && { resetState: real(resetState) }),
          });
          expectClose(ofReal, [expected[0].re, expected[1].re], TOLERANCES.float64);
        }),
        { numRuns: 150 },
      );
    },
  );

  test.each(METHODS)("takes a factor with fewer axes, or axes of length 1, as the same along them (%s)", (method) => {
    const [b, initial] = [numbers(1, [5, 2, 3]), numbers(2, [2, 3])];
    const whole = (factor: Tensor): Tensor =>
      f64(
        Array.from({ length: 30 }, (_, k) => factor.data[k % 3]!),
        [5, 2, 3],
      );
    const one = numbers(3, [3]);
    const expected = linearRecurrence(whole(one), b, initial, { method });
    for (const shape of [[3], [1, 3], [1, 1, 3]]) {
      expectSame(linearRecurrence(f64([...one.data], shape), b, initial, { method }), expected);
    }
    const perStep = numbers(4, [5, 1, 1]);
    const spread = f64(
      Array.from({ length: 30 }, (_, k) => perStep.data[Math.floor(k / 6)]!),
      [5, 2, 3],
    );
    expectSame(linearRecurrence(perStep, b, initial, { method }), linearRecurrence(spread, b, initial, { method }));
    expectSame(
      linearRecurrence(f64([0.5], []), b, initial, { method }),
      linearRecurrence(fill([3], 0.5, "float64"), b, initial, { method }),
    );
  });

  test.each(METHODS)("works on states of any number of axes behind the batch (%s)", (method) => {
    for (const rest of [[], [2, 3]]) {
      const size = rest.reduce((x, y) => x * y, 1);
      const [a, b, initial] = [numbers(1, [4, 2, ...rest]), numbers(2, [4, 2, ...rest]), numbers(3, [2, ...rest])];
      const flat = (x: Tensor, lead: readonly number[]) => f64([...x.data], [...lead, size]);
      const mask = int32([1, 0, 1, 1, 0, 1, 1, 1], [4, 2]);
      const expected = linearRecurrence(flat(a, [4, 2]), flat(b, [4, 2]), flat(initial, [2]), { mask, method });
      const found = linearRecurrence(a, b, initial, { mask, method });
      expect(found.map(({ shape }) => shape)).toEqual([
        [2, ...rest],
        [4, 2, ...rest],
      ]);
      expectSame([flat(found[0], [2]), flat(found[1], [4, 2])], expected);
    }
  });

  test.each(METHODS)("has gradients of first and second order that agree with differences (%s)", (method) => {
    const options = { mask: int32([1, 1, 0, 1, 1, 1], [3, 2]), resetMask: int32([0, 0, 0, 0, 0, 1], [3, 2]), method };
    const complex = [complexNumbers(1, [2]), complexNumbers(3, [3, 2, 2]), complexNumbers(5, [2, 2])] as const;
    const run = <Value extends Linear>(a: Value, b: Value, initial: Value) =>
      linearRecurrence<Value>(a, b, initial, { ...options, resetState: mapTensors((h) => h, initial) });
    expect(checkGradients((a, b, h) => run<Complex>(a, b, h), [...complex]).maxError).toBeLessThan(TOLERANCES.gradient);
    const real = [numbers(1, [3, 2, 2]), numbers(3, [3, 2, 2]), numbers(5, [2, 2])] as const;
    expect(checkGradients((a, b, h) => run<Tensor>(a, b, h), [...real]).maxError).toBeLessThan(TOLERANCES.gradient);
  });

  test("gives both ways the same on 10,000 steps, compiled", () => {
    const [a, b, initial] = [numbers(1, [10_000, 1, 4]), numbers(2, [10_000, 1, 4]), numbers(3, [1, 4])];
    const [oneByOne, composed] = METHODS.map((method) =>
      compile((factor: Tensor, own: Tensor, h: Tensor) => linearRecurrence(factor, own, h, { method }))(a, b, initial),
    );
    expectClose(composed!, oneByOne!, TOLERANCES.float64);
  });

  test("lets a restart stop NaN and infinity one by one, but not when composed, where it is a factor of 0", () => {
    const b = f64([Number.NaN, 1, Number.POSITIVE_INFINITY, 2], [4, 1, 1]);
    const resetMask = int32([0, 1, 0, 1], [4, 1]);
    const [oneByOne, composed] = METHODS.map((method) => {
      const [, states] = linearRecurrence(f64([0.5]), b, zeros([1, 1], "float64"), { resetMask, method });
      return [...states.data];
    });
    expect(oneByOne).toEqual([Number.NaN, 1, Number.POSITIVE_INFINITY, 2]);
    expect(composed).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
  });

  test("names what does not fit", () => {
    const [a, b, initial] = [numbers(1, [3]), numbers(2, [5, 2, 3]), numbers(3, [2, 3])];
    expect(() => linearRecurrence(a, b, numbers(3, [2, 4]))).toThrow(ShapeError);
    expect(() => linearRecurrence(a, b, numbers(3, [2, 4]))).toThrow(
      "linearRecurrence: b must be float64[time,2,4], as the initial state is float64[2,4], but is float64[5,2,3]",
    );
    expect(() => linearRecurrence(numbers(1, [4]), b, initial)).toThrow(
      "linearRecurrence: a is float64[4], which does not broadcast to b's shape [5,2,3]",
    );
    expect(() => linearRecurrence(numbers(1, [1, 5, 2, 3]), b, initial)).toThrow("which does not broadcast");
    expect(() => linearRecurrence(a, b, initial, { mask: int32([1], [1, 1]) })).toThrow(
      "linearRecurrence: mask must be int32[5,2], but is int32[1,1]",
    );
    expect(() => linearRecurrence(a, b, initial, { resetState: initial })).toThrow(OptionError);
    expect(() => linearRecurrence(a, b, initial, { resetState: initial })).toThrow(
      "linearRecurrence: resetState has no effect without resetMask",
    );
    expect(() => linearRecurrence(a, b, initial, { method: "parallel" as "associative" })).toThrow(
      'linearRecurrence: method must be "sequential" or "associative", but is "parallel"',
    );
  });
});
