/** Files of PyTorch: those it wrote, ours there and back, and what is refused. */

import fc from "fast-check";
import { unzipSync, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, int32, numbers } from "../../test/close.js";
import { readGolden } from "../../test/golden.js";
import { TOLERANCES } from "../../test/tolerances.js";
import { FileError } from "../core/index.js";
import { bidirectional, gru } from "../nn/index.js";
import { zeros } from "../ops/index.js";
import { type Tensor, type TensorTree, tensor } from "../tensor/index.js";
import { PickledCall, PickledName, PickledReference, writePickle } from "./pickle.js";
import { fromPyTorch } from "./pytorch.js";
import { decodePyTorch, encodePyTorch } from "./pytorch-file.js";

const asTree = (tensors: ReadonlyMap<string, Tensor>) => Object.fromEntries(tensors);

describe.each(Object.entries(readGolden("pytorch-files")))("a file of %s", (_, base64) => {
  const { tensors } = decodePyTorch(Buffer.from(base64 as string, "base64"), "golden.pt");

  test("holds the weights of a module, which give its outputs", () => {
    const own = new Map([...tensors].filter(([name]) => name.includes("_l0")));
    const [params] = fromPyTorch("GRU", own) as TensorTree[];
    const layer = bidirectional(gru({ inputSize: 2, hiddenSize: 2 }));
    const { outputs } = layer.apply(params as never, tensors.get("x") as Tensor);
    expectClose(outputs, tensors.get("y") as Tensor, TOLERANCES.float32);
  });

  test("holds tensors of all types, shapes and strides", () => {
    const expected = {
      half: tensor([1.5, -2, 65504]),
      bfloat: tensor([1.5, -2, 3.00405527047391e38]),
      double: f64([1 / 3], []),
      long: int32([1, -5], [1, 2]),
      bool: int32([1, 0]),
      turned: tensor([
        [1, 4],
        [2, 5],
      ]),
      parameter: tensor([1, 1]),
      nothing: zeros([0, 3]),
    };
    for (const [name, wanted] of Object.entries(expected)) {
      expect([name, tensors.get(name)?.dtype]).toEqual([name, wanted.dtype]);
      expectSame(tensors.get(name) as Tensor, wanted);
    }
  });
});

test("tensors of all types and shapes come back as they were, the texts, too", () => {
  const shape = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 });
  const entry = fc.tuple(shape, fc.constantFrom("float32", "float64", "int32"));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), entry), fc.dictionary(fc.string(), fc.string()), (entries, metadata) => {
      const tensors = new Map<string, Tensor>();
      for (const [name, [lengths, dtype]] of Object.entries(entries)) {
        const { data } = numbers(name.length, lengths);
        tensors.set(
          name,
          dtype === "int32"
            ? int32(
                Array.from(data, (x) => Math.round(9e8 * x)),
                lengths,
              )
            : numbers(7, lengths, dtype as "float32"),
        );
      }
      const read = decodePyTorch(encodePyTorch(tensors, metadata), "x.pt");
      expect([...read.tensors.keys()]).toEqual([...tensors.keys()]);
      expectSame(asTree(read.tensors), asTree(tensors));
      expect(read.metadata).toEqual(metadata);
    }),
    { numRuns: 50 },
  );
});

test("the same tensors give the same bytes", () => {
  const tensors = new Map([["x", tensor([1, 2])]]);
  expect(encodePyTorch(tensors)).toEqual(encodePyTorch(tensors));
});

describe("decodePyTorch refuses, as a FileError that names the file,", () => {
  const whole = encodePyTorch(new Map([["w", tensor([1, 2, 3])]]));
  const withPickle = (value: unknown, more: Record<string, Uint8Array> = {}): Uint8Array =>
    zipSync({ "m/data.pkl": writePickle(value), "m/data/0": new Uint8Array(12), ...more });
  const described = (changes: {
    name?: string;
    storage?: unknown;
    offset?: unknown;
    shape?: unknown;
    strides?: unknown;
  }) => {
    const storage = changes.storage ?? ["storage", new PickledName("torch.FloatStorage"), "0", "cpu", 3];
    const hooks = new PickledCall("collections.OrderedDict", []);
    const { name = "torch._utils._rebuild_tensor_v2", offset = 0, shape = [3], strides = [1] } = changes;
    return new Map([
      ["w", new PickledCall(name, [new PickledReference(storage), offset, shape, strides, false, hooks])],
    ]);
  };
  const bytes = (...values: (number | string)[]) =>
    Uint8Array.from(values.flatMap((value) => (typeof value === "number" ? [value] : [...Buffer.from(value)])));

  test.each<[what: string, file: Uint8Array, sentence: string]>([
    ["no archive", bytes("just text"), "invalid zip data"],
    ["half a file", whole.subarray(0, whole.length / 2), "invalid zip data"],
    ["a file of PyTorch before 1.6", bytes(0x80, 2, 0x8a, 10), "invalid zip data"],
    [
      "another archive",
      zipSync({ "a.txt": bytes("a") }),
      "there is no data.pkl in it; save it with PyTorch 1.6 or newer",
    ],
    ["a pickle that is cut off", zipSync({ "m/data.pkl": bytes(0x80, 2, "}(") }), "it ends too early"],
    [
      "an opcode that does something else",
      zipSync({ "m/data.pkl": bytes(0x80, 2, "i") }),
      "the opcode 0x69 has no place in it",
    ],
    ["a list", withPickle([1]), "it holds no dictionary; save model.state_dict()"],
    [
      "a number among the tensors",
      withPickle(new Map([["epoch", 3]])),
      'entry "epoch": it is no tensor; save model.state_dict()',
    ],
    [
      "a whole training state",
      withPickle(new Map([["model", new Map()]])),
      'entry "model": it is a dictionary; give the state dictionary alone',
    ],
    [
      "a call of any function",
      withPickle(new Map([["w", new PickledCall("os.system", ["ls"])]])),
      'entry "w": it calls os.system, which is not done',
    ],
    [
      "another storage",
      withPickle(described({ storage: ["storage", new PickledName("torch.ComplexFloatStorage"), "0", "cpu", 3] })),
      "torch.ComplexFloatStorage is not supported",
    ],
    [
      "elements that are missing",
      withPickle(described({ storage: ["storage", new PickledName("torch.FloatStorage"), "1", "cpu", 3] })),
      "its elements are missing",
    ],
    [
      "a shape that is larger than its storage",
      withPickle(described({ shape: [4] })),
      "some of its elements are missing",
    ],
    ["a damaged shape", withPickle(described({ shape: [-1] })), "its shape or strides are damaged"],
    ["strides beyond the storage", withPickle(described({ strides: [2] })), "some of its elements are missing"],
    [
      "strides that repeat elements",
      withPickle(described({ shape: [3, 1e8], strides: [1, 0] })),
      "its strides repeat elements",
    ],
    ["big-endian elements", withPickle(described({}), { "m/byteorder": bytes("big") }), "its elements are big-endian"],
    [
      "whole numbers beyond int32",
      withPickle(described({ storage: ["storage", new PickledName("torch.LongStorage"), "0", "cpu", 1], shape: [1] }), {
        "m/data/0": bytes(0, 0, 0, 0, 1, 0, 0, 0),
      }),
      "4294967296 is beyond int32",
    ],
  ])("%s", (_, file, sentence) => {
    expect(() => decodePyTorch(file, "runs/x.pt")).toThrow(FileError);
    expect(() => decodePyTorch(file, "runs/x.pt")).toThrow(
      /^"runs\/x\.pt" is damaged or no state dictionary of PyTorch: /,
    );
    expect(() => decodePyTorch(file, "runs/x.pt")).toThrow(sentence);
  });

  test("any bytes in the place of the pickle, and never with another error", () => {
    const files = unzipSync(whole);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(200), (noise, place) => {
        const pickle = (files["archive/data.pkl"] as Uint8Array).slice();
        pickle.set(noise.subarray(0, Math.max(0, pickle.length - place)), Math.min(place, pickle.length));
        try {
          decodePyTorch(zipSync({ ...files, "archive/data.pkl": pickle }), "x.pt");
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
