import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError, OptionError } from "../core/index.js";
import { splitText, unigramEntropy } from "./index.js";

describe("splitText", () => {
  it("splits off the end, counted in characters", () => {
    expect(splitText("0123456789", 0.2)).toEqual(["01234567", "89"]);
    expect(splitText("😀😀😀😀", 0.25)).toEqual(["😀😀😀", "😀"]);
    expect(splitText("abc", 0)).toEqual(["abc", ""]);
    expect(splitText("", 0.5)).toEqual(["", ""]);
  });

  it("keeps characters whole and loses none", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constant("\ud800\ud83d\ude00\ude00"));
    fc.assert(
      fc.property(text, fc.double({ min: 0, max: 0.5, noNaN: true }), (source, fraction) => {
        const [training, validation] = splitText(source, fraction);
        expect(training + validation).toBe(source);
        expect([...training, ...validation]).toEqual([...source]);
        expect([...validation].length).toBe(Math.round([...source].length * fraction));
      }),
    );
  });

  it("refuses fractions outside [0, 0.5]", () => {
    for (const fraction of [-0.1, 0.6, Number.NaN]) expect(() => splitText("abc", fraction)).toThrow(OptionError);
  });
});

describe("unigramEntropy", () => {
  it("is the entropy of the frequencies in nats", () => {
    expect(unigramEntropy(Int32Array.of(0, 1, 2, 3))).toBeCloseTo(Math.log(4), 12);
    expect(unigramEntropy(Int32Array.of(5, 5, 5), 6)).toBe(0);
    expect(unigramEntropy(Int32Array.of(0, 0, 0, 7), 8)).toBeCloseTo(0.75 * Math.log(4 / 3) + 0.25 * Math.log(4), 12);
  });

  it("refuses what it cannot count", () => {
    expect(() => unigramEntropy(new Int32Array(0))).toThrow(DataError);
    expect(() => unigramEntropy(Int32Array.of(3), 3)).toThrow("3 is no token; tokens are whole numbers from 0 to 2");
    expect(() => unigramEntropy(Int32Array.of(-1))).toThrow(DataError);
  });
});
