import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../core/index.js";
import { toNested } from "../tensor/index.js";
import { batchesByLength, raggedBatch } from "./index.js";

describe("raggedBatch", () => {
  test("pads tokens and rows of features at their ends, and says what is real", () => {
    const tokens = raggedBatch([[3, 1, 2], [], Int32Array.of(5)]);
    expect([tokens.values.dtype, toNested(tokens.values)]).toEqual([
      "int32",
      [
        [3, 0, 5],
        [1, 0, 0],
        [2, 0, 0],
      ],
    ]);
    expect(toNested(tokens.mask)).toEqual([
      [1, 0, 1],
      [1, 0, 0],
      [1, 0, 0],
    ]);
    expect(toNested(tokens.sequenceLengths)).toEqual([3, 0, 1]);
    const rows = raggedBatch([[[1, 2]], [Float32Array.of(3, 4), [5, 6]]], { length: 3 });
    expect([rows.values.dtype, toNested(rows.values)]).toEqual([
      "float32",
      [
        [
          [1, 2],
          [3, 4],
        ],
        [
          [0, 0],
          [5, 6],
        ],
        [
          [0, 0],
          [0, 0],
        ],
      ],
    ]);
    expect(toNested(rows.mask)).toEqual([
      [1, 1],
      [0, 1],
      [0, 0],
    ]);
    expect(raggedBatch([[], []]).values.shape).toEqual([0, 2]);
  });

  test("loses nothing: sequences come back from values and lengths", () => {
    const sequences = fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 6 }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(sequences, (given) => {
        const { values, sequenceLengths } = raggedBatch(given);
        const back = Array.from(sequenceLengths.data, (length, row) =>
          Array.from({ length }, (_, t) => values.data[t * given.length + row]),
        );
        expect(back).toEqual(given);
      }),
    );
  });

  test("refuses nothing, mixtures, other widths, broken tokens, and a length that cuts", () => {
    expect(() => raggedBatch([])).toThrow(DataError);
    expect(() => raggedBatch([[1, 2.5]])).toThrow(
      "step 1 of sequence 0 is 2.5; it must be a token (a whole number), or a row: [2.5]",
    );
    expect(() => raggedBatch([[[1, 2]], [[3]]])).toThrow(
      "step 0 of sequence 1 has 1 features; it must be a row of 2 features",
    );
    expect(() => raggedBatch([[[1, 2]], [3]])).toThrow("step 0 of sequence 1 is 3; it must be a row of 2 features");
    expect(() => raggedBatch([[3], [[1, 2]]])).toThrow("step 0 of sequence 1 has 2 features; it must be a token");
    expect(() => raggedBatch([[1, 2, 3]], { length: 2 })).toThrow(OptionError);
    expect(() => raggedBatch([[1, 2, 3]], { length: 2 })).toThrow("a sequence has 3 steps, but length is 2");
  });
});

describe("batchesByLength", () => {
  test("groups by length, every index once, in a fixed order", () => {
    expect(batchesByLength([5, 1, 3, 1, 9], 2)).toEqual([[1, 3], [2, 0], [4]]);
    expect(batchesByLength([], 2)).toEqual([]);
    expect(() => batchesByLength([1], 0)).toThrow(
      "batchesByLength: batchSize must be a whole number of at least 1, but is 0",
    );
  });
});
