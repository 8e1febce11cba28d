import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { scratchFolder } from "../../../test/command-line.js";
import { DataError, FileError } from "../../core/index.js";
import { readCorpus, readPart } from "./index.js";

const scratch = scratchFolder();
afterAll(() => scratch.remove());

/** A file with these contents. */
const file = (name: string, contents: string | Uint8Array): string => {
  writeFileSync(join(scratch.path, name), contents);
  return join(scratch.path, name);
};

const sha256 = (...contents: (string | Uint8Array)[]): string =>
  contents.reduce((hash, content) => hash.update(content), createHash("sha256")).digest("hex");

describe("readCorpus", () => {
  test("joins files in order, numbers all characters, and keeps the end for validation", async () => {
    const files = [file("a.txt", "潮起 "), file("b.txt", "潮落😀")];
    const corpus = await readCorpus({ files, unit: "character", validation: 0.4 });
    expect(corpus.vocabulary.decode(corpus.training.tokens)).toBe("潮起 潮");
    expect(corpus.vocabulary.decode(corpus.validation!.tokens)).toBe("落😀");
    expect([corpus.training.characters, corpus.validation!.characters]).toEqual([4, 2]);
    expect(corpus.checksum).toBe(sha256("潮起 潮落😀"));
    expect(corpus.unigramEntropy).toBeCloseTo(Math.log(2), 12);
  });

  test("reads bytes whatever they mean, and counts the characters among them", async () => {
    const bytes = Uint8Array.of(0xff, 0x00, ...new TextEncoder().encode("é落x"), 0x80, 0x61);
    const corpus = await readCorpus({ files: [file("c.bin", bytes)], unit: "byte", validation: 0 });
    expect(Array.from(corpus.training.tokens)).toEqual(Array.from(bytes));
    expect(corpus.vocabulary.size).toBe(256);
    expect(corpus.training.characters).toBe(6); // ff, 00, é, 落, x, a
    expect(corpus.validation).toBeUndefined();
  });

  test("keeps only the most frequent words, if told so", async () => {
    const files = [file("d.txt", "a b a c a b d")];
    const corpus = await readCorpus({ files, unit: "word", validation: 0, vocabularySize: 3 });
    expect(corpus.vocabulary.tokens).toEqual(["<unk>", "a", "b"]);
    expect(Array.from(corpus.training.tokens)).toEqual([1, 2, 1, 0, 1, 2, 0]);
    // Frequencies 3/7, 2/7 and 2/7 (unknown).
    expect(corpus.unigramEntropy).toBeCloseTo((3 * Math.log(7 / 3) + 4 * Math.log(7 / 2)) / 7, 12);
  });

  test("names the file that cannot be used, and says when the text is too short", async () => {
    const read = (files: string[], validation = 0.1) => readCorpus({ files, unit: "character", validation });
    const good = file("good.txt", "abcdefghij".repeat(9));
    await expect(read([good, join(scratch.path, "none.txt")])).rejects.toThrow(/there is no file ".*none\.txt"/);
    await expect(read([good, file("empty.txt", "")])).rejects.toThrow(/empty\.txt" is empty/);
    await expect(read([file("latin1.txt", Uint8Array.of(0x63, 0xe9))])).rejects.toThrow(FileError);
    await expect(read([file("short.txt", "abcde")])).rejects.toThrow(DataError);
    await expect(read([file("short.txt", "abcde")])).rejects.toThrow(
      "0.1 of it is too little for validation; use more",
    );
  });
});

describe("readPart", () => {
  test("numbers another text by a model's vocabulary and counts what that does not know", async () => {
    const { vocabulary } = await readCorpus({ files: [file("e.txt", "abcab")], unit: "character", validation: 0 });
    expect(await readPart(file("f.txt", "abx😀c"), vocabulary)).toEqual({
      tokens: Int32Array.of(1, 2, 0, 0, 3),
      characters: 5,
      unknown: 2,
    });
  });
});
