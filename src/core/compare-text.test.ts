import { describe, expect, it } from "vitest";
import { compareCodePoints } from "./index.js";

describe("compareCodePoints", () => {
  it("puts characters beyond U+FFFF last, unlike the order of UTF-16", () => {
    expect(["😀", "\uFFFD", "z", "a"].sort(compareCodePoints)).toEqual(["a", "z", "\uFFFD", "😀"]);
  });

  it("compares the second halves of surrogate pairs", () => {
    expect(compareCodePoints("a😀", "a😁")).toBeLessThan(0);
  });

  it("puts a beginning before the whole, and finds equal texts equal", () => {
    expect(compareCodePoints("ab", "abc")).toBeLessThan(0);
    expect(compareCodePoints("abc", "ab")).toBeGreaterThan(0);
    expect(compareCodePoints("abc", "abc")).toBe(0);
  });
});
