import { describe, expect, test } from "vitest";
import { expectSame, f64, int32, numbers } from "../../test/close.js";
import { FileError } from "../core/index.js";
import { decodeSafetensors, encodeSafetensors } from "../io/index.js";
import { adam } from "../learn/index.js";
import { randomKey } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { decodeState, encodeState, type Progress, type TrainState } from "./index.js";

type Params = { readonly w: Tensor; readonly layers: readonly { readonly b: Tensor }[] };

const params = (): Params => ({ w: numbers(1, [2, 3]), layers: [{ b: numbers(2, [3], "float32") }, { b: f64([]) }] });
const state = (
  progress: Progress = { step: 12, averageLoss: 0.1 + 0.2, bestStep: 3, bestValidationLoss: 1 / 3 },
): TrainState<Params> => ({
  params: params(),
  optimizer: adam().init(params()),
  method: [{ h: numbers(3, [2]) }],
  key: randomKey(2 ** 40 + 5),
  progress,
});

/** The file with some of its contents changed, its checksum made again. */
function changed(change: (tensors: Map<string, Tensor>, metadata: Record<string, string>) => void): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(encodeState(state()), "file");
  change(tensors, metadata);
  return encodeSafetensors(tensors, metadata);
}

const message = (bytes: Uint8Array): string => {
  try {
    decodeState(bytes, state(), "runs/x/state.safetensors");
  } catch (error) {
    expect(error).toBeInstanceOf(FileError);
    return (error as Error).message;
  }
  return expect.unreachable("it should have failed");
};

describe("decodeState", () => {
  test("gives back what encodeState was given, number by number", () => {
    for (const progress of [state().progress, { step: 0 }]) {
      const { progress: decoded, ...tensors } = decodeState(encodeState(state(progress)), state({ step: 0 }), "file");
      const { progress: _, ...expected } = state(progress);
      expect(decoded).toEqual(progress);
      expectSame(tensors, expected);
      expect(tensors.params.layers[0]!.b.dtype).toBe("float32");
    }
  });

  test("the same state gives the same bytes", () => {
    expect(encodeState(state())).toEqual(encodeState(state()));
  });

  test("names a tensor that is missing, left over, or of another type", () => {
    expect(message(changed((tensors) => tensors.delete("optimizer.mean.layers.0.b")))).toBe(
      '"runs/x/state.safetensors" has no tensor optimizer.mean.layers.0.b; it was written by another architecture',
    );
    expect(message(changed((tensors) => tensors.set("params.extra", f64([1]))))).toContain(
      "has a tensor params.extra that is not",
    );
    expect(message(changed((tensors) => tensors.set("params.w", numbers(1, [3, 2]))))).toContain(
      "has params.w as float64[3,2], but float64[2,3] is needed; it was written by another architecture",
    );
    expect(message(changed((tensors) => tensors.set("params.w", numbers(1, [2, 3], "float32"))))).toContain(
      "as float32[2,3]",
    );
    expect(message(changed((tensors) => tensors.set("key", int32([1]))))).toContain("has key as int32[1]");
  });

  test.each([
    "",
    "{",
    "null",
    "12",
    "{}",
    '{"step":"12"}',
    '{"step":1.5}',
    '{"step":-1}',
    '{"step":3,"averageLoss":"x"}',
  ])("says that a record of progress %j is damaged", (progress) => {
    expect(message(changed((_, metadata) => Object.assign(metadata, { progress })))).toBe(
      '"runs/x/state.safetensors" is no checkpoint: its record of progress is missing or damaged',
    );
  });

  test("says that a file without progress is no checkpoint", () => {
    expect(message(changed((_, metadata) => delete metadata.progress))).toContain("is no checkpoint");
  });

  test("says that bytes are cut off or changed, wherever that is", () => {
    const bytes = encodeState(state());
    for (const length of [0, 7, 8, 100, bytes.length >> 1, bytes.length - 1]) {
      expect(message(bytes.slice(0, length))).toContain('"runs/x/state.safetensors" is damaged');
    }
    // A flip inside the checksum or its name may hide the checksum: then all else is as it was.
    const checksum = new TextDecoder("latin1").decode(bytes).indexOf('"checksum":"crc32:');
    for (let place = 3; place < bytes.length; place += 7) {
      const flipped = bytes.slice();
      flipped[place]! ^= 0x10;
      if (place < checksum || place > checksum + 30) {
        expect(message(flipped)).toMatch(/^"runs\/x\/state.safetensors" /);
      }
    }
  });
});
