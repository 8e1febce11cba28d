import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectSame, f64, int32 } from "../../test/close.js";
import { readGolden } from "../../test/golden.js";
import { FileError, OptionError } from "../core/index.js";
import { allocate, type DType, HostTensor, sizeOf, type Tensor, tensor } from "../tensor/index.js";
import { decodeNpy, encodeNpy, type NpyType } from "./npy.js";

const anyTensor = fc
  .tuple(fc.constantFrom<DType>("float32", "float64", "int32"), fc.array(fc.nat(4), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const element = dtype === "int32" ? fc.integer() : dtype === "float32" ? fc.float() : fc.double();
    return fc.array(element, { minLength: sizeOf(shape), maxLength: sizeOf(shape) }).map((values): Tensor => {
      const data = allocate(dtype, values.length);
      data.set(values);
      return new HostTensor({ dtype, shape }, data);
    });
  });

test("what is written can be read again, bit for bit", () => {
  fc.assert(
    fc.property(anyTensor, (written) => {
      const read = decodeNpy(encodeNpy(written), "x.npy");
      expect(read).toEqual(written);
    }),
  );
});

describe("files that NumPy wrote", () => {
  const golden = readGolden("npy") as Record<string, { file: string; shape: number[]; data: number[] }>;
  test.each(Object.entries(golden))("%s: the same numbers", (_, { file, shape, data }) => {
    const read = decodeNpy(Buffer.from(file, "base64"), "x.npy");
    expectSame(read, f64(data, shape));
  });

  test("of version 1.0 with little-endian rows are written the same way, byte for byte", () => {
    const bytes = (name: string) => [...Buffer.from(golden[name]!.file, "base64")];
    const written = (name: string, type: NpyType) => {
      const { shape, data } = golden[name]!;
      const source = type.startsWith("float") ? tensor(data, { dtype: type as DType }) : int32(data);
      return [...encodeNpy(new HostTensor({ dtype: source.dtype, shape }, source.data), type)];
    };
    for (const type of ["float32", "float64", "int32", "int64", "bool"] as const) {
      expect(written(type, type), type).toEqual(bytes(type));
    }
    expect(written("scalar", "float64")).toEqual(bytes("scalar"));
  });
});

describe("decodeNpy refuses", () => {
  const header = (text: string, ...data: number[]) =>
    Uint8Array.from([0x93, ..."NUMPY", 1, 0, text.length, 0, ...text, ...data], (each) =>
      typeof each === "string" ? each.charCodeAt(0) : each,
    );
  const described = (descr: string, ...data: number[]) =>
    header(`{'descr': '${descr}', 'fortran_order': False, 'shape': (1,), }\n`, ...data);

  test.each<[what: string, bytes: Uint8Array, sentence: string]>([
    ["nothing", new Uint8Array(), '"x.npy" is damaged or not a NumPy file: it does not begin as one'],
    ["a text", new TextEncoder().encode("1, 2, 3, 4, 5"), "it does not begin as one"],
    ["a cut header", encodeNpy(int32([1])).subarray(0, 60), "it ends within its header"],
    ["cut elements", encodeNpy(int32([1, 2])).subarray(0, 134), "[2] needs 8 bytes, but it holds 6"],
    ["bytes too many", Uint8Array.from([...encodeNpy(int32([1])), 0]), "[1] needs 4 bytes, but it holds 5"],
    ["another header", header("{}"), "its header is not as NumPy writes it"],
    ["complex numbers", described("<c8"), "a type that is not supported (c8); convert it to float32, float64, int32"],
    [
      "numbers beyond int32",
      described("<i8", 0, 0, 0, 128, 0, 0, 0, 0),
      '"x.npy" holds 2147483648, which is beyond int32',
    ],
  ])("%s", (_, bytes, sentence) => {
    expect(() => decodeNpy(bytes, "x.npy")).toThrow(FileError);
    expect(() => decodeNpy(bytes, "x.npy")).toThrow(sentence);
  });

  test("whatever the bytes are, with nothing but a FileError", () => {
    const whole = encodeNpy(f64([1, 2, 3, 4], [2, 2]));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (place, byte) => {
        try {
          decodeNpy(whole.with(place, byte), "x.npy");
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("encodeNpy converts nothing silently", () => {
  expect(() => encodeNpy(f64([1]), "float32")).toThrow(
    new OptionError("encodeNpy: float64[1] cannot be written as float32; convert it with cast"),
  );
});
