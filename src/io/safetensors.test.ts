import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FileError, OptionError } from "../core/index.js";
import { type Tensor, tensor } from "../tensor/index.js";
import { decodeSafetensors, encodeSafetensors, type SafetensorsContents } from "./index.js";

const small = new Map<string, Tensor>([
  ["b", tensor([1.5, -2], { dtype: "float32" })],
  ["a", tensor([[1, 2, 3]], { dtype: "int32" })],
  ["c", tensor(Math.PI, { dtype: "float64" })],
  ["empty", tensor(new Float32Array(0), { shape: [0, 3] })],
]);

const headerOf = (bytes: Uint8Array): string => {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  return new TextDecoder().decode(bytes.subarray(8, 8 + length));
};

/** A file with this header and this many bytes of data, as another program might write it. */
const file = (header: unknown, dataBytes: number): Uint8Array => {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
};

const bits = (contents: SafetensorsContents): unknown => ({
  metadata: contents.metadata,
  tensors: [...contents.tensors]
    .map(([name, { dtype, shape, data }]) => [name, dtype, shape, [...new Uint8Array(data.buffer.slice(0))]])
    .sort(),
});

const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(
    fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
    fc.constantFrom("float32" as const, "float64" as const, "int32" as const),
    fc.integer(),
  )
  .map(([shape, dtype, seed]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = Array.from({ length: size }, (_, index) => Math.sin(seed + index) * 1e6);
    const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array };
    return tensor(arrays[dtype].from(values), { shape });
  });

const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "constructor", "0", ""));
const anyTensors = fc
  .uniqueArray(fc.tuple(text, anyTensor), { selector: ([name]) => name, maxLength: 5 })
  .map((entries) => new Map(entries));
const anyMetadata = fc.array(fc.tuple(text, fc.string()), { maxLength: 3 }).map((entries) => {
  return Object.fromEntries(entries) as Record<string, string>;
});

describe("encodeSafetensors", () => {
  it("writes the published layout: strictest alignment first, then by name, data at a multiple of 8", () => {
    const bytes = encodeSafetensors(small, { model: "lstm" });
    const header = headerOf(bytes);
    expect(header.trimEnd()).toMatchInlineSnapshot(
      `"{"__metadata__":{"model":"lstm","checksum":"crc32:0cfaa5de"},"c":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"empty":{"dtype":"F32","shape":[0,3],"data_offsets":[16,16]},"a":{"dtype":"I32","shape":[1,3],"data_offsets":[16,28]}}"`,
    );
    expect((8 + header.length) % 8).toBe(0);
    const data = new DataView(bytes.buffer, 8 + header.length);
    expect(data.byteLength).toBe(28);
    expect([data.getFloat64(0, true), data.getFloat32(12, true), data.getInt32(24, true)]).toEqual([Math.PI, -2, 3]);
  });

  it("gives the same bytes for any order of names", () => {
    const backwards = new Map([...small].reverse());
    expect(encodeSafetensors(backwards, { b: "2", a: "1" })).toEqual(encodeSafetensors(small, { a: "1", b: "2" }));
  });

  it("refuses reserved names and half characters", () => {
    const one = tensor([1]);
    expect(() => encodeSafetensors(new Map([["__metadata__", one]]), {})).toThrow(OptionError);
    expect(() => encodeSafetensors(new Map(), { checksum: "mine" })).toThrow(OptionError);
    expect(() => encodeSafetensors(new Map([["\ud800", one]]), {})).toThrow(OptionError);
  });
});

describe("decodeSafetensors", () => {
  it("gives back what was written, bit for bit", () => {
    fc.assert(
      fc.property(anyTensors, anyMetadata, (tensors, metadata) => {
        const contents = decodeSafetensors(encodeSafetensors(tensors, metadata), "model");
        expect(bits(contents)).toEqual(bits({ tensors, metadata }));
      }),
    );
  });

  it("keeps NaN, infinities and negative zero", () => {
    const odd = new Map([["x", tensor(new Float32Array([Number.NaN, -Infinity, -0, 1e-45]))]]);
    expect(bits(decodeSafetensors(encodeSafetensors(odd, {}), "model"))).toEqual(bits({ tensors: odd, metadata: {} }));
  });

  it("reads from the middle of a buffer", () => {
    const bytes = encodeSafetensors(small, {});
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeSafetensors(shifted.subarray(3), "model").tensors.get("c")?.data[0]).toBe(Math.PI);
  });

  it("reads a file without padding, metadata and checksum", () => {
    const bytes = file({ x: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 4);
    expect(decodeSafetensors(bytes, "model").tensors.get("x")?.shape).toEqual([1]);
  });

  it("leaves a checksum alone that is another program's", () => {
    expect(decodeSafetensors(file({ __metadata__: { checksum: "md5" } }, 0), "m").metadata).toEqual({
      checksum: "md5",
    });
  });

  it("finds a file that was cut off anywhere", () => {
    const bytes = encodeSafetensors(small, { model: "lstm" });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length), "model")).toThrow(FileError);
    }
  });

  it("finds every flipped byte, except where the meaning stays or the checksum's own name is hit", () => {
    const bytes = encodeSafetensors(small, { model: "lstm" });
    const before = bits(decodeSafetensors(bytes, "model")) as { tensors: unknown };
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const changed = bytes.slice();
        changed[index] = (changed[index] as number) ^ flip;
        try {
          expect((bits(decodeSafetensors(changed, "model")) as { tensors: unknown }).tensors).toEqual(before.tensors);
        } catch (error) {
          if (!(error instanceof FileError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
    for (let index = 8 + headerOf(bytes).length; index < bytes.length; index++) {
      const changed = bytes.slice();
      changed[index] = (changed[index] as number) ^ 1;
      expect(() => decodeSafetensors(changed, "model")).toThrow(/"model" is damaged: its contents do not match/);
    }
  });

  it("throws nothing but FileError for any header", () => {
    const offsets = fc.array(fc.oneof(fc.nat({ max: 9 }), fc.constantFrom(-4, 0.5, 1e300, 2 ** 53, null)));
    const entry = fc.record({
      dtype: fc.constantFrom("F32", "I32", "BF16", 7),
      shape: offsets,
      data_offsets: offsets,
    });
    const header = fc.oneof(
      fc.json(),
      fc.dictionary(fc.constantFrom("a", "b", "__metadata__"), fc.oneof(entry, fc.anything())),
    );
    fc.assert(
      fc.property(header, fc.nat({ max: 12 }), (value, dataBytes) => {
        try {
          decodeSafetensors(file(value ?? null, dataBytes), "model");
        } catch (error) {
          if (!(error instanceof FileError)) throw error;
        }
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(() => decodeSafetensors(bytes, "model")).toThrow(FileError);
      }),
    );
  });

  it.each([
    ["a header longer than the file", new Uint8Array([9, 0, 0, 0, 0, 0, 0, 0, 1]), "should have 9 bytes, but only 1"],
    ["a header that is no JSON", file("{", 0), "its header is not JSON"],
    ["a header that is a list", file([], 0), "its header is not a JSON object"],
    ["metadata that are no texts", file({ __metadata__: { step: 3 } }, 0), "its metadata is not a list of texts"],
    ["an unknown type", file({ x: { dtype: "BF16", shape: [1], data_offsets: [0, 2] } }, 2), "convert it to F32"],
    [
      "a shape of another size",
      file({ x: { dtype: "F32", shape: [2, 2], data_offsets: [0, 8] } }, 8),
      'tensor "x" is F32 [2, 2], which does not fit into its 8 bytes',
    ],
    [
      "a hole",
      file({ x: { dtype: "F32", shape: [1], data_offsets: [4, 8] } }, 8),
      'tensor "x" begins at byte 4 of the data instead of 0',
    ],
    [
      "an overlap",
      file(
        {
          x: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
          y: { dtype: "F32", shape: [1], data_offsets: [4, 8] },
        },
        8,
      ),
      'tensor "y" begins at byte 4 of the data instead of 8',
    ],
    [
      "bytes left over",
      file({ x: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 6),
      "its tensors need 4 bytes of data, but it holds 6",
    ],
  ])("says what is wrong with %s", (_, bytes, sentence) => {
    expect(() => decodeSafetensors(bytes, "runs/a/model.safetensors")).toThrow(FileError);
    expect(() => decodeSafetensors(bytes, "runs/a/model.safetensors")).toThrow(sentence);
    expect(() => decodeSafetensors(bytes, "runs/a/model.safetensors")).toThrow('"runs/a/model.safetensors"');
  });
});
