/** Formulas of lengths, found from samples. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError } from "../../core/index.js";
import {
  constantOf,
  difference,
  formatLength,
  lengthFrom,
  plus,
  rootOf,
  samplePoints,
  withQuotients,
} from "./export-lengths.js";

const found = (symbols: string[], f: (sizes: Record<string, number>) => number) =>
  lengthFrom(
    samplePoints(symbols).map((sizes) => f(sizes as Record<string, number>)),
    symbols,
  );

test("every sum of products with whole factors is found, for any factors", () => {
  const factor = fc.integer({ min: -1000, max: 1000 });
  fc.assert(
    fc.property(factor, factor, factor, factor, (a, b, c, d) => {
      const length = found(["batch", "time"], ({ batch, time }) => a + b * batch! + c * time! + d * batch! * time!);
      const value = (key: string) => length?.get(key) ?? 0;
      expect([value(""), value("batch"), value("time"), value("batch*time")]).toEqual([a, b, c, d]);
    }),
  );
});

test("what is no such sum has no formula", () => {
  expect(found(["time"], ({ time }) => Math.ceil(time! / 2))).toBeUndefined();
  expect(found(["time"], ({ time }) => time! * time!)).toBeUndefined();
  expect(found(["time"], ({ time }) => Math.min(time!, 150))).toBeUndefined();
  expect(found(["batch", "time"], ({ batch, time }) => Math.max(batch!, time! - 110))).toBeUndefined();
});

test("formulas are written highest symbol first, and constants are known", () => {
  expect(formatLength(found(["batch", "time"], ({ batch, time }) => 2 * batch! * time! + time! - 3)!)).toBe(
    "time+2*batch*time+-3",
  );
  expect(constantOf(found(["time"], () => 7)!)).toBe(7);
  expect(constantOf(found(["time"], () => 0)!)).toBe(0);
  expect(formatLength(found([], () => 0)!)).toBe("0");
  expect(constantOf(found(["time"], ({ time }) => time!)!)).toBeUndefined();
});

test("sums and differences are taken term by term, and what cancels is gone", () => {
  const [a, b] = [found(["time"], ({ time }) => time! + 3)!, found(["time"], ({ time }) => time! - 1)!];
  expect(constantOf(difference(a, b))).toBe(4);
  expect(formatLength(plus(a, b, 2))).toBe("3*time+1");
});

test("more symbols than there are markers are refused", () => {
  expect(() => samplePoints(["a", "b", "c", "d"])).toThrow(OptionError);
  expect(samplePoints(["a", "b", "c"]).length).toBe(10);
});

test("quotients that are known are found in formulas, through each other and beside other symbols", () => {
  const half = { length: found(["time"], ({ time }) => time! + 1)!, by: 2 };
  const quarter = { length: new Map([["half", 1]]), by: 2 };
  const quotients = new Map([
    ["half", half],
    ["quarter", quarter],
  ]);
  const formula = (f: (batch: number, time: number) => number): string | undefined => {
    const values = samplePoints(["batch", "time"]).map(({ batch, time }) => f(batch!, time!));
    const length = lengthFrom(values, ["batch", "time"], quotients);
    return length && formatLength(length);
  };
  const halved = (time: number) => Math.floor((time + 1) / 2);
  expect(formula((batch, time) => 3 * batch * halved(time) - 1)).toBe("3*batch*half+-1");
  expect(formula((_, time) => 2 * Math.floor(halved(time) / 2))).toBe("2*quarter");
  expect(formula((_, time) => 2 * time)).toBe("2*time");
  expect(formula((batch) => Math.floor(batch / 2))).toBeUndefined();
  expect(withQuotients({ batch: 1, time: 8 }, quotients)).toEqual({ batch: 1, time: 8, half: 4, quarter: 2 });
  expect(rootOf(quarter.length, quotients)).toBe("time");
  expect(rootOf(new Map([["batch*half", 1]]), quotients)).toBeUndefined();
});
