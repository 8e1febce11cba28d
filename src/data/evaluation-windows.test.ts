import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../core/index.js";
import { evaluationWindows } from "./index.js";

const range = (length: number): Int32Array => Int32Array.from({ length }, (_, index) => index);

describe("evaluationWindows", () => {
  it("covers each target exactly once, in order within its stream, after its input", () => {
    const sizes = fc.record({
      batchSize: fc.integer({ min: 1, max: 9 }),
      windowLength: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 2, max: 80 }), (options, length) => {
        const windows = evaluationWindows(range(length), options);
        const byStream: number[][] = Array.from({ length: options.batchSize }, () => []);
        for (let position = 0; position < windows.windowsPerEpoch; position++) {
          const { inputs, targets, mask, resetMask } = windows.window(position);
          expect(mask.data.some((value) => value === 1)).toBe(true);
          expect([...resetMask.data].filter((value) => value === 1).length).toBe(
            position === 0 ? options.batchSize : 0,
          );
          mask.data.forEach((real, cell) => {
            if (real === 0) return;
            expect(targets.data[cell]).toBe((inputs.data[cell] as number) + 1);
            byStream[cell % options.batchSize]?.push(targets.data[cell] as number);
          });
        }
        expect(byStream.flat()).toEqual([...range(length)].slice(1));
        expect(windows.targetsPerEpoch).toBe(length - 1);
      }),
    );
  });

  it("needs two tokens", () => {
    expect(() => evaluationWindows(range(1), { batchSize: 1, windowLength: 1 })).toThrow(DataError);
    expect(() => evaluationWindows(range(0), { batchSize: 1, windowLength: 1 })).toThrow("has no tokens");
  });
});
