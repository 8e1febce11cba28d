/** Constants of an ONNX file as tensors of ours. */

import { FileError } from "../../core/index.js";
import { allocate, type DType, HostTensor, requireShape, sizeOf } from "../../tensor/index.js";
import { ELEMENT_TYPE, type OnnxTensor } from "./proto.js";

/** How one element type is stored, and what it becomes here. */
interface Storage {
  readonly dtype: DType;
  readonly bytes: number;
  /** Reads an element of `rawData`. */
  readonly raw: (view: DataView, at: number) => number;
  /** The list that holds the elements where there is no `rawData`. */
  readonly list: "floatData" | "doubleData" | "int32Data" | "int64Data";
  /** Turns an element of the list into a number. Default: as it is */
  readonly listed?: (element: number) => number;
}

/**
 * Whole numbers beyond int32 have no place here, but the ends of int64 mean "no end" (of a slice): they become the ends of int32.
 * @throws RangeError for other numbers beyond int32
 */
function toInt32(value: bigint | number): number {
  const number = Number(value);
  if (number >= 2 ** 63) return 2 ** 31 - 1;
  if (number <= -(2 ** 63)) return -(2 ** 31);
  if ((number | 0) !== number) throw new RangeError(`${value} is beyond int32, the only whole numbers of this toolkit`);
  return number;
}

/** A number from the bits of a half-precision one: sign, 5 bits of exponent, 10 of fraction. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const STORAGE: ReadonlyMap<number, Storage> = new Map<number, Storage>([
  [ELEMENT_TYPE.float, { dtype: "float32", bytes: 4, raw: (v, at) => v.getFloat32(at, true), list: "floatData" }],
  [ELEMENT_TYPE.double, { dtype: "float64", bytes: 8, raw: (v, at) => v.getFloat64(at, true), list: "doubleData" }],
  [
    ELEMENT_TYPE.float16,
    {
      dtype: "float32",
      bytes: 2,
      raw: (v, at) => fromFloat16(v.getUint16(at, true)),
      list: "int32Data",
      listed: fromFloat16,
    },
  ],
  [
    ELEMENT_TYPE.int64,
    {
      dtype: "int32",
      bytes: 8,
      raw: (v, at) => toInt32(v.getBigInt64(at, true)),
      list: "int64Data",
      listed: toInt32,
    },
  ],
  [ELEMENT_TYPE.int32, { dtype: "int32", bytes: 4, raw: (v, at) => v.getInt32(at, true), list: "int32Data" }],
  [ELEMENT_TYPE.int16, { dtype: "int32", bytes: 2, raw: (v, at) => v.getInt16(at, true), list: "int32Data" }],
  [ELEMENT_TYPE.uint16, { dtype: "int32", bytes: 2, raw: (v, at) => v.getUint16(at, true), list: "int32Data" }],
  [ELEMENT_TYPE.int8, { dtype: "int32", bytes: 1, raw: (v, at) => v.getInt8(at), list: "int32Data" }],
  [ELEMENT_TYPE.uint8, { dtype: "int32", bytes: 1, raw: (v, at) => v.getUint8(at), list: "int32Data" }],
  [ELEMENT_TYPE.bool, { dtype: "int32", bytes: 1, raw: (v, at) => v.getUint8(at), list: "int32Data" }],
]);

const NAMES = new Map<number, string>(Object.entries(ELEMENT_TYPE).map(([name, number]) => [number, name]));

/** Name of an element type, as in `ELEMENT_TYPE`. */
export const elementTypeName = (type: number | undefined): string => NAMES.get(type ?? 0) ?? `number ${type ?? 0}`;

/** What an element type becomes here: all whole numbers and bool int32, float16 float32; nothing for those that are not supported. */
export const dtypeOf = (type: number | undefined): DType | undefined => STORAGE.get(type ?? 0)?.dtype;

/**
 * A constant as a tensor.
 * @param what what it is and where it stands, for errors: `"m.onnx": initializer "w"`
 * @throws FileError if its element type is not supported, its elements are in another file, do not fit its shape or are beyond int32
 */
export function readTensor(source: OnnxTensor, what: string): HostTensor {
  const storage = STORAGE.get(source.dataType ?? 0);
  if (storage === undefined) {
    throw new FileError(`${what} has the element type ${elementTypeName(source.dataType)}, which is not supported`);
  }
  if (source.dataLocation === 1 || (source.externalData?.length ?? 0) > 0) {
    throw new FileError(`${what} keeps its elements in another file; save the model as one file without external data`);
  }
  const { dtype, bytes, raw, list, listed = (element) => element } = storage;
  const shape = source.dims ?? [];
  const numbers = source[list] ?? [];
  const stored = source.rawData === undefined ? numbers.length : source.rawData.length / bytes;
  try {
    requireShape(what, shape);
    if (stored !== sizeOf(shape)) throw new RangeError(`[${shape}] does not hold ${stored} elements`);
    const data = allocate(dtype, stored);
    if (source.rawData === undefined) for (let k = 0; k < stored; k++) data[k] = listed(numbers[k] as number);
    else {
      const view = new DataView(source.rawData.buffer, source.rawData.byteOffset, source.rawData.byteLength);
      for (let k = 0; k < stored; k++) data[k] = raw(view, k * bytes);
    }
    return new HostTensor({ dtype, shape }, data);
  } catch (cause) {
    throw new FileError(`${what} cannot be used: ${(cause as Error).message}`, { cause });
  }
}
