import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError, OptionError } from "../core/index.js";
import { toNested } from "../tensor/index.js";
import { textStream } from "./index.js";

const range = (length: number): Int32Array => Int32Array.from({ length }, (_, index) => index);

describe("textStream", () => {
  it("cuts tokens into parallel streams, padded and masked at the end of the epoch", () => {
    const stream = textStream(range(12), { batchSize: 2, windowLength: 3 });
    expect(stream.windowsPerEpoch).toBe(2);
    expect(stream.targetsPerEpoch).toBe(10);
    const [first, second] = [stream.window(0), stream.window(1)];
    expect(toNested(first.inputs)).toEqual([
      [0, 5],
      [1, 6],
      [2, 7],
    ]);
    expect(toNested(first.targets)).toEqual([
      [1, 6],
      [2, 7],
      [3, 8],
    ]);
    expect(toNested(first.resetMask)).toEqual([
      [1, 1],
      [0, 0],
      [0, 0],
    ]);
    expect(toNested(second.inputs)).toEqual([
      [3, 8],
      [4, 9],
      [0, 0],
    ]);
    expect(toNested(second.targets)).toEqual([
      [4, 9],
      [5, 10],
      [0, 0],
    ]);
    expect(toNested(second.mask)).toEqual([
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
    expect(second.resetMask.data.every((value) => value === 0)).toBe(true);
    expect(first.inputs.dtype).toBe("int32");
  });

  it("reads a text of exactly one window", () => {
    const stream = textStream(range(13), { batchSize: 1, windowLength: 12 });
    expect(stream.windowsPerEpoch).toBe(1);
    expect([...stream.window(0).targets.data]).toEqual([...range(13)].slice(1));
    expect(stream.window(0).mask.data.every((value) => value === 1)).toBe(true);
  });

  it("reads streams that are shorter than a window", () => {
    const stream = textStream(range(13), { batchSize: 12, windowLength: 12 });
    expect(stream.windowsPerEpoch).toBe(1);
    expect([...stream.window(0).mask.data].slice(0, 13)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
  });

  it("goes on into further epochs, each position always the same", () => {
    const stream = textStream(range(50), { batchSize: 3, windowLength: 5 });
    for (const position of [0, 1, 3]) {
      expect(stream.window(position + 7 * stream.windowsPerEpoch)).toEqual(stream.window(position));
    }
  });

  it("shows each stream in order, each target one after its input, for all sizes", () => {
    const sizes = fc.record({
      batchSize: fc.integer({ min: 1, max: 7 }),
      windowLength: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(sizes, fc.nat({ max: 60 }), (options, more) => {
        const { batchSize, windowLength } = options;
        const tokens = range(Math.max(batchSize, windowLength) + 1 + more);
        const stream = textStream(tokens, options);
        const streamLength = Math.floor((tokens.length - 1) / batchSize);
        for (let row = 0; row < batchSize; row++) {
          const seen: number[] = [];
          for (let position = 0; position < stream.windowsPerEpoch; position++) {
            const { inputs, targets, mask } = stream.window(position);
            for (let cell = row; cell < mask.data.length; cell += batchSize) {
              if (mask.data[cell] === 0) continue;
              expect(targets.data[cell]).toBe((inputs.data[cell] as number) + 1);
              seen.push(inputs.data[cell] as number);
            }
          }
          expect(seen).toEqual(Array.from({ length: streamLength }, (_, index) => row * streamLength + index));
        }
      }),
    );
  });

  it("says how many tokens are needed and which option to lower", () => {
    expect(() => textStream(range(12), { batchSize: 1, windowLength: 64 })).toThrow(
      new DataError("the text has 12 tokens, but one window needs 65; use shorter windows (windowLength) or more text"),
    );
    expect(() => textStream(range(12), { batchSize: 12, windowLength: 4 })).toThrow(
      new DataError(
        "the text has 12 tokens, but 12 parallel streams need 13; use fewer streams (batchSize) or more text",
      ),
    );
    expect(() => textStream(range(1), { batchSize: 1, windowLength: 1 })).toThrow("the text has 1 token, but");
    expect(() => textStream(range(12), { batchSize: 0, windowLength: 4 })).toThrow(OptionError);
    expect(() => textStream(range(12), { batchSize: 1, windowLength: 1.5 })).toThrow(OptionError);
    expect(() => textStream(range(12), { batchSize: 1, windowLength: 4 }).window(-1)).toThrow(OptionError);
  });
});
