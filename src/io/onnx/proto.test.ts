import fc from "fast-check";
import { expect, test } from "vitest";
import { FileError } from "../../core/index.js";
import { decodeOnnx, ELEMENT_TYPE, encodeOnnx, type OnnxModel } from "./proto.js";

const model: OnnxModel = {
  irVersion: 8,
  producerName: "test",
  graph: {
    name: "graph",
    node: [
      {
        input: ["x", ""],
        output: ["y"],
        name: "n",
        opType: "If",
        attribute: [
          { name: "f", f: 0.5, type: 1 },
          { name: "i", i: -3, type: 2 },
          { name: "s", s: Uint8Array.of(104, 105), type: 3 },
          { name: "then_branch", g: { name: "inner", output: [{ name: "z" }] }, type: 5 },
          { name: "many", floats: [1, 2], ints: [-1, 2 ** 40], strings: [Uint8Array.of(), Uint8Array.of(1)] },
        ],
      },
    ],
    initializer: [
      { dims: [2, 1], dataType: ELEMENT_TYPE.float, floatData: [1.5, -2], name: "w" },
      { dims: [], dataType: ELEMENT_TYPE.int64, rawData: new Uint8Array(8), name: "k" },
    ],
    input: [
      {
        name: "x",
        type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: "batch" }, { dimValue: 3 }, {}] } } },
      },
    ],
  },
  opsetImport: [{ domain: "", version: 17 }],
};

/** Without the fields that are empty lists, which the format cannot tell from absent ones. */
const withoutEmpty = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, inner) => (Array.isArray(inner) && inner.length === 0 ? undefined : inner)));

test("what is written can be read again, messages inside messages included", () => {
  expect(withoutEmpty(decodeOnnx(encodeOnnx(model), "m"))).toEqual(withoutEmpty(model));
});

test("the bytes are those of the format", () => {
  const small: OnnxModel = { irVersion: 1, graph: { name: "g" }, opsetImport: [{ version: 300 }] };
  expect([...encodeOnnx(small)]).toEqual([0x08, 1, 0x3a, 3, 0x12, 1, 0x67, 0x42, 3, 0x10, 0xac, 0x02]);
});

test("lists of numbers are read packed and unpacked, and unknown fields are passed over", () => {
  const graph = (dims: number[]) => [0x3a, dims.length + 2, 0x2a, dims.length, ...dims];
  const read = (dims: number[]) =>
    decodeOnnx(Uint8Array.from([...graph(dims), 0x42, 0, 0xba, 6, 1, 7]), "m").graph?.initializer;
  expect(read([0x0a, 2, 5, 6])).toEqual([{ dims: [5, 6] }]);
  expect(read([0x08, 5, 0x08, 6])).toEqual([{ dims: [5, 6] }]);
});

test("whatever the bytes are, the only error is one that names the file", () => {
  const whole = encodeOnnx(model);
  const attempt = (bytes: Uint8Array) => {
    try {
      decodeOnnx(bytes, "m.onnx");
    } catch (error) {
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toMatch(/^"m.onnx" is damaged or not an ONNX model: /);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), attempt));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (place, byte) => attempt(whole.with(place, byte))),
    { numRuns: 500 },
  );
  for (let length = 0; length < whole.length; length++) attempt(whole.subarray(0, length));
  expect(() => decodeOnnx(whole.subarray(0, whole.length - 12), "m")).toThrow(FileError);
  expect(() => decodeOnnx(new Uint8Array(), "m")).toThrow("it holds no graph");
});
