/**
 * State dictionaries as the files of `torch.save`: a zip archive with a pickle that describes the tensors, and their elements beside it.
 *
 *   archive/data.pkl      { name: tensor }, each tensor with type, storage, offset, shape and strides
 *   archive/data/0, ...   elements, little-endian
 *   archive/version       "3"
 *   archive/byteorder     "little"
 *
 * Nothing in a file is ever executed: the pickle is read by a reader that calls no functions.
 * @see https://docs.pytorch.org/docs/stable/notes/serialization.html
 */

import { unzipSync, zipSync } from "fflate";
import { FileError } from "../core/index.js";
import {
  allocate,
  BYTES,
  type DType,
  HostTensor,
  requireShape,
  sizeOf,
  stridesOf,
  type Tensor,
} from "../tensor/index.js";
import { fromFloat16 } from "./onnx/tensor-data.js";
import { PickledCall, PickledName, PickledReference, readPickle, writePickle } from "./pickle.js";

/** What a file of PyTorch holds. */
export interface PyTorchContents {
  /** The tensors by name, in their order. */
  readonly tensors: Map<string, Tensor>;
  /** The texts that `encodePyTorch` stored with them. */
  readonly metadata: Record<string, string>;
}

/** How the elements of a storage are read, and what they become here. */
interface Storage {
  readonly dtype: DType;
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
}

const wholeOf = (value: bigint): number => {
  const number = Number(value);
  if ((number | 0) !== number) throw new RangeError(`${value} is beyond int32, the only whole numbers of this toolkit`);
  return number;
};
const scratch = new DataView(new ArrayBuffer(4));
const fromBFloat16 = (bits: number): number => {
  scratch.setUint32(0, bits * 2 ** 16);
  return scratch.getFloat32(0);
};

const STORAGES: Readonly<Record<string, Storage>> = {
  FloatStorage: { dtype: "float32", bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  DoubleStorage: { dtype: "float64", bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  HalfStorage: { dtype: "float32", bytes: 2, read: (view, at) => fromFloat16(view.getUint16(at, true)) },
  BFloat16Storage: { dtype: "float32", bytes: 2, read: (view, at) => fromBFloat16(view.getUint16(at, true)) },
  LongStorage: { dtype: "int32", bytes: 8, read: (view, at) => wholeOf(view.getBigInt64(at, true)) },
  IntStorage: { dtype: "int32", bytes: 4, read: (view, at) => view.getInt32(at, true) },
  ShortStorage: { dtype: "int32", bytes: 2, read: (view, at) => view.getInt16(at, true) },
  CharStorage: { dtype: "int32", bytes: 1, read: (view, at) => view.getInt8(at) },
  ByteStorage: { dtype: "int32", bytes: 1, read: (view, at) => view.getUint8(at) },
  BoolStorage: { dtype: "int32", bytes: 1, read: (view, at) => view.getUint8(at) },
};
const STORAGE_OF: Readonly<Record<DType, string>> = {
  float32: "FloatStorage",
  float64: "DoubleStorage",
  int32: "IntStorage",
};

const ROOT = "archive";
const METADATA = "through-time.json";
const [REBUILD_TENSOR, REBUILD_PARAMETER] = ["torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"];

/**
 * Writes tensors as a file that `torch.load(path, weights_only=True)` gives back as a dictionary.
 * @param metadata texts to store with them, for `decodePyTorch`; PyTorch does not see them. Default none
 * @example encodePyTorch(toPyTorch("LSTM", params))
 */
export function encodePyTorch(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const text = (content: string) => new TextEncoder().encode(content);
  const files: Record<string, Uint8Array> = {};
  const described = new Map<string, PickledCall>();
  for (const [name, tensor] of tensors) {
    const key = `${described.size}`;
    const storage = ["storage", new PickledName(`torch.${STORAGE_OF[tensor.dtype]}`), key, "cpu", tensor.data.length];
    const hooks = new PickledCall("collections.OrderedDict", []);
    const args = [new PickledReference(storage), 0, tensor.shape, stridesOf(tensor.shape), false, hooks];
    described.set(name, new PickledCall(REBUILD_TENSOR, args));
    files[`${ROOT}/data/${key}`] = elementBytes(tensor);
  }
  const whole = {
    [`${ROOT}/data.pkl`]: writePickle(described),
    [`${ROOT}/byteorder`]: text("little"),
    ...files,
    [`${ROOT}/version`]: text("3\n"),
    ...(Object.keys(metadata).length > 0 && { [`${ROOT}/${METADATA}`]: text(JSON.stringify(metadata)) }),
  };
  // A fixed date: the same tensors give the same bytes.
  return zipSync(whole, { level: 0, mtime: new Date(1980, 0, 1) });
}

function elementBytes({ dtype, data }: Tensor): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(data.length * BYTES[dtype]));
  const write = { float32: bytes.setFloat32, float64: bytes.setFloat64, int32: bytes.setInt32 }[dtype];
  data.forEach((value, index) => {
    write.call(bytes, index * BYTES[dtype], value, true);
  });
  return new Uint8Array(bytes.buffer);
}

/**
 * Reads a state dictionary that `torch.save` wrote (PyTorch 1.6 or newer): float16 and bfloat16 become float32, all whole numbers and
 * bool int32.
 * @param bytes the whole file
 * @param where the file's name, for errors
 * @throws FileError naming what is wrong: damaged, of an old version, or not a dictionary of tensors
 */
export function decodePyTorch(bytes: Uint8Array, where: string): PyTorchContents {
  const broken = (reason: string, cause?: unknown): FileError =>
    new FileError(`"${where}" is damaged or no state dictionary of PyTorch: ${reason}`, { cause });
  let files: Record<string, Uint8Array>;
  let described: unknown;
  let root: string;
  try {
    files = unzipSync(bytes);
    const pickle = Object.keys(files).find((name) => name.split("/").length === 2 && name.endsWith("/data.pkl"));
    if (pickle === undefined) throw new Error("there is no data.pkl in it; save it with PyTorch 1.6 or newer");
    root = pickle.slice(0, -"data.pkl".length);
    described = readPickle(files[pickle] as Uint8Array);
  } catch (cause) {
    throw broken((cause as Error).message, cause);
  }
  if (!(described instanceof Map)) throw broken("it holds no dictionary; save model.state_dict()");
  const endian = files[`${root}byteorder`];
  if (endian !== undefined && new TextDecoder().decode(endian) !== "little") {
    throw broken("its elements are big-endian; save it on another machine");
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of described) {
    if (typeof name !== "string") throw broken("a name is no text; save model.state_dict()");
    try {
      tensors.set(
        name,
        tensorOf(value, (key) => files[`${root}data/${key}`]),
      );
    } catch (cause) {
      throw broken(`entry "${name}": ${(cause as Error).message}`, cause);
    }
  }
  return { tensors, metadata: metadataOf(files[root + METADATA]) };
}

function tensorOf(value: unknown, elementsOf: (key: string) => Uint8Array | undefined): Tensor {
  if (value instanceof Map) throw new Error("it is a dictionary; give the state dictionary alone");
  if (!(value instanceof PickledCall)) throw new Error("it is no tensor; save model.state_dict()");
  if (value.name === REBUILD_PARAMETER) return tensorOf(value.args[0], elementsOf);
  if (value.name !== REBUILD_TENSOR) throw new Error(`it calls ${value.name}, which is not done`);
  const [reference, offset, shape, strides] = value.args;
  const [kind, storageName, key] =
    reference instanceof PickledReference && Array.isArray(reference.id) ? reference.id : [];
  if (kind !== "storage" || !(storageName instanceof PickledName) || typeof key !== "string") {
    throw new Error("its storage cannot be found");
  }
  const storage = STORAGES[storageName.name.replace(/^torch\./, "")];
  if (storage === undefined) throw new Error(`${storageName.name} is not supported; convert it with .float()`);
  const elements = elementsOf(key);
  if (elements === undefined) throw new Error("its elements are missing");
  return strided(storage, elements, offset, shape, strides);
}

const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);

/** Elements with any strides, in row-major order. */
function strided(
  { dtype, bytes, read }: Storage,
  elements: Uint8Array,
  offset: unknown,
  shape: unknown,
  strides: unknown,
): Tensor {
  if (!areCounts([offset]) || !areCounts(shape) || !areCounts(strides) || shape.length !== strides.length) {
    throw new Error("its shape or strides are damaged");
  }
  requireShape("state dictionary", shape);
  const size = sizeOf(shape);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] as number), offset as number);
  if (size > 0 && (last + 1) * bytes > elements.length) throw new Error("some of its elements are missing");
  if (size * bytes > elements.length) throw new Error("its strides repeat elements; save a contiguous copy");
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  const data = allocate(dtype, size);
  let next = 0;
  const descend = (axis: number, from: number): void => {
    if (axis === shape.length) data[next++] = read(view, from * bytes);
    else for (let k = 0; k < (shape[axis] as number); k++) descend(axis + 1, from + k * (strides[axis] as number));
  };
  if (size > 0) descend(0, offset as number);
  return new HostTensor({ dtype, shape }, data);
}

/** The texts of our own files; another file has none. */
function metadataOf(content: Uint8Array | undefined): Record<string, string> {
  try {
    const texts: unknown = content && JSON.parse(new TextDecoder().decode(content));
    return typeof texts === "object" && texts !== null ? (texts as Record<string, string>) : {};
  } catch {
    return {};
  }
}
