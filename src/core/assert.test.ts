/** Checks on options: what they let through, and what they say. */

import { describe, expect, test } from "vitest";
import { OptionError, requireInteger, requireKnownKeys, requireNumber } from "./index.js";

describe("requireInteger", () => {
  test.each([0, 1, 7])("accepts %s for at least 0", (value) => {
    expect(() => requireInteger("scan", "length", value, 0)).not.toThrow();
  });

  test.each([
    [-1, "-1"],
    [0.5, "0.5"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    ["3" as unknown as number, '"3"'],
    [undefined as unknown as number, "undefined"],
  ])("does not accept %s", (value, shown) => {
    const message = `scan: length must be a whole number of at least 0, but is ${shown}`;
    expect(() => requireInteger("scan", "length", value, 0)).toThrow(new OptionError(message));
  });
});

describe("requireNumber", () => {
  test("includes the bounds from and to, excludes above and below", () => {
    for (const value of [0, 0.5, 1]) expect(() => requireNumber("x", "y", value, { from: 0, to: 1 })).not.toThrow();
    for (const value of [0, 1]) {
      expect(() => requireNumber("x", "y", value, { above: 0, below: 1 })).toThrow(
        new OptionError(`x: y must be a number greater than 0 and less than 1, but is ${value}`),
      );
    }
    for (const value of [-0.1, 1.1]) {
      expect(() => requireNumber("x", "y", value, { from: 0, to: 1 })).toThrow(
        new OptionError(`x: y must be a number at least 0 and at most 1, but is ${value}`),
      );
    }
  });

  test.each([NaN, Infinity, -Infinity, "1" as unknown as number])("never accepts %s", (value) => {
    expect(() => requireNumber("sgd", "momentum", value)).toThrow(OptionError);
    expect(() => requireNumber("sgd", "momentum", value)).toThrow("sgd: momentum must be a finite number, but is ");
  });
});

test("requireKnownKeys names the key and the options there are", () => {
  expect(() => requireKnownKeys("scan", { length: 1 }, ["length", "reverse"])).not.toThrow();
  expect(() => requireKnownKeys("scan", { lenght: 1 }, ["length", "reverse"])).toThrow(
    new OptionError('scan: there is no option "lenght"; the options are length, reverse'),
  );
});
