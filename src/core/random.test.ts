/** Threefry against its published vectors; logarithm and normal quantile against known values. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactLog, normalQuantile, threefry2x32 } from "./index.js";

test.each([
  // Known answers of threefry2x32, 20 rounds, from the Random123 distribution (kat_vectors).
  { key: [0, 0], counter: [0, 0], words: [0x6b200159, 0x99ba4efe] },
  { key: [0xffffffff, 0xffffffff], counter: [0xffffffff, 0xffffffff], words: [0x1cb996fc, 0xbb002be7] },
  { key: [0x13198a2e, 0x03707344], counter: [0x243f6a88, 0x85a308d3], words: [0xc4923a9c, 0x483df7a0] },
])("threefry2x32 of key $key and counter $counter is the published one", ({ key, counter, words }) => {
  const out = new Int32Array(2);
  threefry2x32(key[0] as number, key[1] as number, counter[0] as number, counter[1] as number, out);
  expect([...out].map((word) => word >>> 0)).toEqual(words);
});

describe("exactLog", () => {
  const relative = (x: number) => Math.abs(exactLog(x) - Math.log(x)) / Math.abs(Math.log(x));

  test("agrees with Math.log to 4e-16 on (0, 1)", () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -1022, max: 1 - 2 ** -53, noNaN: true }), (x) => {
        expect(relative(x)).toBeLessThan(4e-16);
      }),
      { numRuns: 2000 },
    );
  });

  test("agrees with Math.log above 1", () => {
    fc.assert(
      fc.property(fc.double({ min: 2, max: Number.MAX_VALUE, noNaN: true }), (x) => {
        expect(relative(x)).toBeLessThan(4e-16);
      }),
      { numRuns: 1000 },
    );
    expect(exactLog(1)).toBe(0);
  });
});

describe("normalQuantile", () => {
  // Quantiles from tables of 15 digits and more.
  test.each([
    [0.5, 0],
    [0.75, 0.6744897501960817],
    [0.9, 1.2815515655446004],
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.99, 2.3263478740408408],
    [0.999, 3.090232306167813],
    [1e-10, -6.361340902404056],
    [1e-20, -9.262340089798409],
  ])("of %s is %s", (p, z) => {
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThanOrEqual(2e-15 * Math.max(1, Math.abs(z)));
  });

  test("is odd around one half, and grows", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 20 - 2 }), (k) => {
        const p = k / 2 ** 20;
        expect(normalQuantile(1 - p)).toBe(-normalQuantile(p) + 0);
        expect(normalQuantile(p + 2 ** -20)).toBeGreaterThan(normalQuantile(p));
      }),
    );
  });
});
