import { describe, expect, test } from "vitest";
import { OptionError } from "../core/index.js";
import { exponentialForcing, inverseSigmoidForcing, linearForcing } from "./index.js";

describe("schedules of teacher forcing", () => {
  test("fall in a straight line, then stay", () => {
    expect([0, 25, 100, 1000].map(linearForcing({ updates: 100 }))).toEqual([1, 0.75, 0, 0]);
    const partly = linearForcing({ updates: 10, initial: 0.8, final: 0.2 });
    expect([0, 5, 10, 11].map((update) => partly(update))).toEqual([
      0.8,
      0.5,
      expect.closeTo(0.2, 12),
      expect.closeTo(0.2, 12),
    ]);
  });

  test("fall by a factor at each update", () => {
    expect([0, 1, 3].map(exponentialForcing({ decay: 0.5 }))).toEqual([1, 0.5, 0.125]);
    expect(exponentialForcing({ decay: 1 })(1e6)).toBe(1);
  });

  test("fall as an inverse sigmoid, to half at update k log k, and never overflow", () => {
    const schedule = inverseSigmoidForcing({ k: 50 });
    expect(schedule(0)).toBeCloseTo(50 / 51, 12);
    expect(schedule(50 * Math.log(50))).toBeCloseTo(0.5, 12);
    expect(schedule(1e9)).toBe(0);
  });

  test("refuse what is no probability, or no number of updates", () => {
    expect(() => linearForcing({ updates: 0 })).toThrow(OptionError);
    expect(() => linearForcing({ updates: 0 })).toThrow(
      "linearForcing: updates must be a whole number of at least 1, but is 0",
    );
    expect(() => linearForcing({ updates: 5, final: -0.1 })).toThrow(
      "linearForcing: final must be a number at least 0",
    );
    expect(() => exponentialForcing({ decay: 0 })).toThrow("exponentialForcing: decay must be a number greater than 0");
    expect(() => inverseSigmoidForcing({ k: 0.5 })).toThrow("inverseSigmoidForcing: k must be a number at least 1");
  });
});
