/** Tensors as NumPy files (`.npy`): one array each. */

import { FileError, OptionError } from "../core/index.js";
import { transpose } from "../ops/index.js";
import { allocate, type DType, formatType, type Shape, sizeOf, type Tensor, tensor } from "../tensor/index.js";

/** Element types of files: those of tensors, and two that are int32 here. */
export type NpyType = DType | "int64" | "bool";

interface Storage {
  /** Letter and bytes of an element, as NumPy writes them. */
  readonly code: string;
  readonly bytes: number;
  readonly dtype: DType;
  readonly read: (view: DataView, at: number, little: boolean) => number;
  readonly write: (view: DataView, at: number, value: number) => void;
}

const STORAGE: Readonly<Record<NpyType, Storage>> = {
  float32: {
    ...{ code: "f4", bytes: 4, dtype: "float32" },
    read: (view, at, little) => view.getFloat32(at, little),
    write: (view, at, value) => view.setFloat32(at, value, true),
  },
  float64: {
    ...{ code: "f8", bytes: 8, dtype: "float64" },
    read: (view, at, little) => view.getFloat64(at, little),
    write: (view, at, value) => view.setFloat64(at, value, true),
  },
  int32: {
    ...{ code: "i4", bytes: 4, dtype: "int32" },
    read: (view, at, little) => view.getInt32(at, little),
    write: (view, at, value) => view.setInt32(at, value, true),
  },
  int64: {
    ...{ code: "i8", bytes: 8, dtype: "int32" },
    read: (view, at, little) => Number(view.getBigInt64(at, little)),
    write: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  },
  bool: {
    ...{ code: "b1", bytes: 1, dtype: "int32" },
    read: (view, at) => view.getUint8(at),
    write: (view, at, value) => view.setUint8(at, value === 0 ? 0 : 1),
  },
};

/** The first bytes of every file: 0x93 and NUMPY. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** The elements begin at a multiple of this many bytes. */
const ALIGNMENT = 64;

/**
 * Writes a tensor as a NumPy file, in version 1.0 of the format.
 * @param type element type in the file; int32 tensors can also become int64 or bool. Default: the tensor's own
 * @throws OptionError if the tensor's type does not become the type asked for
 * @throws TraceError if the tensor is traced
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @example encodeNpy(tensor([[1, 2], [3, 4]]))
 */
export function encodeNpy(source: Tensor, type: NpyType = source.dtype): Uint8Array {
  const { code, bytes, dtype, write } = STORAGE[type];
  if (dtype !== source.dtype) {
    throw new OptionError(`encodeNpy: ${formatType(source)} cannot be written as ${type}; convert it with cast`);
  }
  const { data, shape } = source;
  const order = bytes === 1 ? "|" : "<";
  const lengths = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${lengths}, }`;
  const start = Math.ceil((MAGIC.length + 4 + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = `${text.padEnd(start - MAGIC.length - 5)}\n`;

  const file = new Uint8Array(start + data.length * bytes);
  const view = new DataView(file.buffer);
  file.set([...MAGIC, 1, 0]);
  view.setUint16(MAGIC.length + 2, header.length, true);
  file.set(new TextEncoder().encode(header), MAGIC.length + 4);
  for (let k = 0; k < data.length; k++) write(view, start + k * bytes, data[k] as number);
  return file;
}

interface Header {
  readonly storage: Storage;
  readonly little: boolean;
  readonly columnMajor: boolean;
  readonly shape: Shape;
  /** Where the elements begin. */
  readonly start: number;
}

/**
 * Reads a NumPy file: float32, float64, int32, int64 (numbers within int32) or bool, of either byte order, row- or column-major.
 * @param bytes the whole file; not kept
 * @param where the file's name, for errors
 * @throws FileError naming the file and what is wrong with it; nothing else, whatever the bytes are
 */
export function decodeNpy(bytes: Uint8Array, where: string): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { storage, little, columnMajor, shape, start } = readHeader(bytes, view, where);
  const size = sizeOf(shape);
  if (bytes.length - start !== size * storage.bytes) {
    throw damaged(where, `[${shape}] needs ${size * storage.bytes} bytes, but it holds ${bytes.length - start}`);
  }
  const data = allocate(storage.dtype, size);
  for (let k = 0; k < size; k++) {
    const value = storage.read(view, start + k * storage.bytes, little);
    if (storage.dtype === "int32" && (value | 0) !== value) {
      throw new FileError(`"${where}" holds ${value}, which is beyond int32, the only whole numbers of this toolkit`);
    }
    data[k] = value;
  }
  return columnMajor ? transpose(tensor(data, { shape: shape.toReversed() })) : tensor(data, { shape });
}

const damaged = (where: string, reason: string): FileError =>
  new FileError(
    `"${where}" is damaged or not a NumPy file: ${reason}; use another copy, or save it again with numpy.save`,
  );

function readHeader(bytes: Uint8Array, view: DataView, where: string): Header {
  if (bytes.length < MAGIC.length + 4 || !MAGIC.every((byte, index) => byte === bytes[index])) {
    throw damaged(where, "it does not begin as one");
  }
  const isFirstVersion = bytes[MAGIC.length] === 1;
  const textStart = MAGIC.length + (isFirstVersion ? 4 : 6);
  if (bytes.length < textStart) throw damaged(where, "it ends within its header");
  const length = isFirstVersion ? view.getUint16(MAGIC.length + 2, true) : view.getUint32(MAGIC.length + 2, true);
  const start = textStart + length;
  if (start > bytes.length) throw damaged(where, "it ends within its header");

  const text = new TextDecoder("latin1").decode(bytes.subarray(textStart, start));
  const [, order, code] = /'descr': *'([<>|=])(\w+)'/.exec(text) ?? [];
  const [, columnMajor] = /'fortran_order': *(True|False)/.exec(text) ?? [];
  const [, lengths] = /'shape': *\(([\d, ]*)\)/.exec(text) ?? [];
  if (columnMajor === undefined || lengths === undefined) throw damaged(where, "its header is not as NumPy writes it");
  const storage = Object.values(STORAGE).find((each) => each.code === code);
  if (storage === undefined) {
    throw new FileError(
      `"${where}" holds an array of a type that is not supported${code ? ` (${code})` : ""}; ` +
        `convert it to ${Object.keys(STORAGE).join(", ")} with astype`,
    );
  }
  const shape = lengths.split(",").flatMap((length) => (length.trim() === "" ? [] : [Number(length)]));
  return { storage, little: order !== ">", columnMajor: columnMajor === "True", shape, start };
}
