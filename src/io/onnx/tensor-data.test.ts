import { describe, expect, test } from "vitest";
import { FileError } from "../../core/index.js";
import { ELEMENT_TYPE, type OnnxTensor } from "./proto.js";
import { fromFloat16, readTensor } from "./tensor-data.js";

const read = (source: OnnxTensor) => readTensor(source, '"m": initializer "w"');
const raw = (array: ArrayBufferView) => new Uint8Array(array.buffer);

describe("readTensor", () => {
  test.each<[type: keyof typeof ELEMENT_TYPE, rawData: Uint8Array, expected: string]>([
    ["float", raw(Float32Array.of(1.5, -2)), "float32[2] [1.5,-2]"],
    ["double", raw(Float64Array.of(0.1, -2)), "float64[2] [0.1,-2]"],
    ["float16", raw(Uint16Array.of(0x3c00, 0xc100)), "float32[2] [1,-2.5]"],
    ["int64", raw(BigInt64Array.of(-5n, 7n)), "int32[2] [-5,7]"],
    ["int32", raw(Int32Array.of(-5, 7)), "int32[2] [-5,7]"],
    ["int16", raw(Int16Array.of(-5, 7)), "int32[2] [-5,7]"],
    ["uint16", raw(Uint16Array.of(65535, 7)), "int32[2] [65535,7]"],
    ["int8", raw(Int8Array.of(-5, 7)), "int32[2] [-5,7]"],
    ["uint8", raw(Uint8Array.of(255, 7)), "int32[2] [255,7]"],
    ["bool", raw(Uint8Array.of(0, 1)), "int32[2] [0,1]"],
  ])("reads %s from bytes", (type, rawData, expected) => {
    expect(String(read({ dims: [2], dataType: ELEMENT_TYPE[type], rawData }))).toBe(expected);
    const shifted = new Uint8Array(rawData.length + 1);
    shifted.set(rawData, 1);
    expect(String(read({ dims: [2], dataType: ELEMENT_TYPE[type], rawData: shifted.subarray(1) }))).toBe(expected);
  });

  test.each<[type: keyof typeof ELEMENT_TYPE, lists: OnnxTensor, expected: string]>([
    ["float", { floatData: [1.5, -2] }, "float32[2] [1.5,-2]"],
    ["double", { doubleData: [0.1, -2] }, "float64[2] [0.1,-2]"],
    ["float16", { int32Data: [0x3c00, 0xc100] }, "float32[2] [1,-2.5]"],
    ["int64", { int64Data: [-5, 7] }, "int32[2] [-5,7]"],
    ["int32", { int32Data: [-5, 7] }, "int32[2] [-5,7]"],
    ["bool", { int32Data: [0, 1] }, "int32[2] [0,1]"],
  ])("reads %s from its list", (type, lists, expected) => {
    expect(String(read({ dims: [2], dataType: ELEMENT_TYPE[type], ...lists }))).toBe(expected);
  });

  test("reads a scalar, and a tensor without elements", () => {
    expect(String(read({ dataType: 1, floatData: [3] }))).toBe("float32[] 3");
    expect(String(read({ dims: [0, 2], dataType: 1 }))).toBe("float32[0,2] []");
  });

  test("takes the ends of int64 for those of int32, since they mean that there is no end", () => {
    const rawData = raw(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)));
    expect(String(read({ dims: [2], dataType: ELEMENT_TYPE.int64, rawData }))).toBe(
      "int32[2] [2147483647,-2147483648]",
    );
  });

  test.each<[what: string, source: OnnxTensor, sentence: string]>([
    ["texts", { dataType: ELEMENT_TYPE.string }, "has the element type string, which is not supported"],
    ["an unknown type", { dataType: 99 }, "has the element type number 99, which is not supported"],
    [
      "external data",
      { dims: [1], dataType: 1, dataLocation: 1 },
      "keeps its elements in another file; save the model as",
    ],
    ["too few elements", { dims: [3], dataType: 1, floatData: [1] }, "cannot be used: [3] does not hold 1 elements"],
    ["half an element", { dims: [1], dataType: 1, rawData: new Uint8Array(6) }, "[1] does not hold 1.5 elements"],
    ["a negative length", { dims: [-1, -1], dataType: 1, floatData: [1] }, "[-1,-1] is no shape"],
    [
      "a number beyond int32",
      { dims: [1], dataType: ELEMENT_TYPE.int64, rawData: raw(BigInt64Array.of(2n ** 31n)) },
      "2147483648 is beyond int32, the only whole numbers of this toolkit",
    ],
  ])("refuses %s", (_, source, sentence) => {
    expect(() => read(source)).toThrow(FileError);
    expect(() => read(source)).toThrow(`"m": initializer "w" `);
    expect(() => read(source)).toThrow(sentence);
  });
});

test("half precision: normal, subnormal and special numbers", () => {
  const bits = [0x3c00, 0xc100, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x0000, 0x7c00, 0xfc00, 0x7c01];
  expect(bits.map(fromFloat16)).toEqual([
    ...[1, -2.5, 65504, 2 ** -14, 1023 * 2 ** -24, 2 ** -24, 0],
    ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
  ]);
  expect(Object.is(fromFloat16(0x8000), -0)).toBe(true);
});
