import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError, OptionError } from "../core/index.js";
import { buildVocabulary, countUnknown, type Unit, vocabularyFromJSON } from "./index.js";
import { wordsOf } from "./words.js";

const units: readonly Unit[] = ["character", "byte", "word"];
const binary = fc.string({ unit: "binary" });
/** Any UTF-16, lone surrogates included. */
const utf16 = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0xd83d, 0xde00, 0x61)));
const anyText = fc.oneof(
  fc.string(),
  binary,
  utf16.map((codes) => String.fromCharCode(...codes)),
);

describe("buildVocabulary", () => {
  it("numbers characters by code point after the unknown one", () => {
    const vocabulary = buildVocabulary("b😀a\n\uFFFDb", "character");
    expect(vocabulary.tokens).toEqual(["<unk>", "\\n", "a", "b", "\uFFFD", "😀"]);
    expect([...vocabulary.encode("ab😀?")]).toEqual([2, 3, 5, 0]);
    expect(vocabulary.decode([2, 3, 5, 0])).toBe("ab😀\uFFFD");
    expect(countUnknown(vocabulary, vocabulary.encode("a?b!"))).toBe(2);
  });

  it("keeps the most frequent characters when size limits them", () => {
    const vocabulary = buildVocabulary("aaabbc", "character", { size: 3 });
    expect(vocabulary.tokens).toEqual(["<unk>", "a", "b"]);
  });

  it("numbers bytes by themselves", () => {
    const vocabulary = buildVocabulary("", "byte");
    expect(vocabulary.size).toBe(256);
    expect(vocabulary.unknown).toBeUndefined();
    expect([...vocabulary.encode("é")]).toEqual([0xc3, 0xa9]);
    expect(vocabulary.decode([0xc3, 0xa9, 0xc3])).toBe("é\uFFFD");
    expect([0x0a, 0x41, 0xff].map((byte) => vocabulary.tokens[byte])).toEqual(["\\n", "A", "0xff"]);
    expect(countUnknown(vocabulary, vocabulary.encode("é"))).toBe(0);
  });

  it("numbers words by frequency, ties by code point", () => {
    const vocabulary = buildVocabulary("b a c b\nc b", "word");
    expect(vocabulary.tokens).toEqual(["<unk>", "b", "c", "\\n", "a"]);
    expect([...vocabulary.encode("c d\n")]).toEqual([2, 0, 3]);
    expect(vocabulary.decode([2, 0, 3])).toBe("c <unk>\n");
    expect(buildVocabulary("b a c b\nc b", "word", { size: 3 }).tokens).toEqual(["<unk>", "b", "c"]);
  });

  it("has at most 10,000 words by default", () => {
    const text = Array.from({ length: 12_000 }, (_, index) => `w${index}`).join(" ");
    expect(buildVocabulary(text, "word").size).toBe(10_000);
  });

  it("gives exact text back for characters and bytes", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const vocabulary = buildVocabulary(text, "character");
        expect(vocabulary.decode(vocabulary.encode(text))).toBe(text);
        expect(countUnknown(vocabulary, vocabulary.encode(text))).toBe(0);
      }),
    );
    fc.assert(
      fc.property(binary, (text) => {
        const vocabulary = buildVocabulary(text, "byte");
        expect(vocabulary.decode(vocabulary.encode(text))).toBe(text);
      }),
    );
  });

  it("gives text with the same words back for words", () => {
    const words = fc.constantFrom(
      "a",
      "don't",
      "'",
      '"',
      ".",
      "(",
      "-",
      "\n",
      "中",
      "，",
      " ",
      "é",
      "_1",
      "’",
      "\u0301",
    );
    const text = fc.oneof(
      fc.array(words).map((list) => list.join(" ")),
      anyText,
    );
    fc.assert(
      fc.property(text, (source) => {
        const vocabulary = buildVocabulary(source, "word");
        expect([...wordsOf(vocabulary.decode(vocabulary.encode(source)))]).toEqual([...wordsOf(source)]);
      }),
    );
  });

  it.each(units)("decodes piece by piece as in one go: %s", (unit) => {
    const text = fc.oneof(anyText, fc.constant('"Well," said Ann (24), "it\'s a fine day."\n中文，好。'));
    fc.assert(
      fc.property(text, fc.nat({ max: 40 }), fc.nat({ max: 40 }), (source, a, b) => {
        const vocabulary = buildVocabulary(source, unit);
        const tokens = vocabulary.encode(source);
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        const decoder = vocabulary.decoder();
        const pieces = [tokens.subarray(0, first), tokens.subarray(first, second), tokens.subarray(second)];
        expect(pieces.map((piece) => decoder.push(piece)).join("") + decoder.end()).toBe(vocabulary.decode(tokens));
      }),
    );
  });

  it.each(units)("survives JSON: %s", (unit) => {
    fc.assert(
      fc.property(anyText, anyText, (source, other) => {
        const vocabulary = buildVocabulary(source, unit);
        const again = vocabularyFromJSON(JSON.parse(JSON.stringify(vocabulary)));
        expect(again.tokens).toEqual(vocabulary.tokens);
        expect(again.unknown).toBe(vocabulary.unknown);
        expect(again.encode(other)).toEqual(vocabulary.encode(other));
        expect(again.decode(again.encode(source))).toBe(vocabulary.decode(vocabulary.encode(source)));
      }),
    );
  });

  it.each(units)("has as many names as tokens, for the empty text too: %s", (unit) => {
    const vocabulary = buildVocabulary("", unit);
    expect(vocabulary.tokens.length).toBe(vocabulary.size);
    expect(vocabulary.size).toBe(unit === "byte" ? 256 : 1);
    expect(vocabulary.encode("")).toEqual(new Int32Array(0));
    expect(vocabulary.decode([])).toBe("");
  });

  it.each(units)("encodes a megabyte in less than half a second: %s", (unit) => {
    const text = "The quick brown fox doesn't jump over 7 lazy dogs; 敏捷的棕色狐狸。\n".repeat(20_000);
    const vocabulary = buildVocabulary(text, unit);
    const start = performance.now();
    vocabulary.encode(text);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it.each(units)("refuses numbers that are no token: %s", (unit) => {
    const vocabulary = buildVocabulary("ab", unit);
    for (const token of [-1, vocabulary.size, 0.5, Number.NaN]) {
      expect(() => vocabulary.decode([token])).toThrow(DataError);
    }
    expect(() => vocabulary.decode([300])).toThrow(`300 is no token; this vocabulary has the tokens 0 to`);
  });

  it("refuses options that are wrong or without effect", () => {
    expect(() => buildVocabulary("a", "byte", { size: 10 })).toThrow(OptionError);
    expect(() => buildVocabulary("a", "word", { size: 1 })).toThrow(OptionError);
    expect(() => buildVocabulary("a", "word", { limit: 10 } as object)).toThrow(OptionError);
    expect(() => buildVocabulary("a", "letter" as Unit)).toThrow(OptionError);
  });
});

describe("vocabularyFromJSON", () => {
  it.each([
    null,
    [],
    "word",
    { unit: "letter" },
    { unit: "word" },
    { unit: "word", symbols: [1] },
    { unit: "word", symbols: ["a", "a"] },
    { unit: "character", symbols: ["ab"] },
    { unit: "character", symbols: [""] },
  ])("refuses %j", (json) => {
    expect(() => vocabularyFromJSON(json)).toThrow(DataError);
  });
});
