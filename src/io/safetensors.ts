/**
 * The safetensors format: named tensors as bytes that every framework reads and nothing can hide code in.
 *
 *   8 bytes   length of the header, little-endian
 *   header    JSON: { "__metadata__": { text: text }, name: { dtype, shape, data_offsets: [begin, end] }, ... },
 *             followed by spaces until the data begins at a multiple of 8
 *   data      row-major, little-endian, no gaps; offsets count from its beginning
 *
 * Beyond the format, the writer adds the metadata entry `checksum`: "crc32:" and eight hexadecimal digits, the CRC-32
 * of everything the file says. It is taken over a JSON list of metadata, names, element types and shapes, and
 * then over the elements of each tensor in the writer's order, so it survives another program's rewriting the file
 * unchanged. Other readers see just a text there.
 * @see https://huggingface.co/docs/safetensors/index#format
 */

import { compareCodePoints, FileError, OptionError } from "../core/index.js";
import { allocate, BYTES, type DType, HostTensor, type Shape, sizeOf, type Tensor } from "../tensor/index.js";
import { crc32 } from "./crc32.js";

/** What a safetensors file holds. */
export interface SafetensorsContents {
  /** The tensors by name, in the order of the file's data. */
  readonly tensors: Map<string, Tensor>;
  /** The texts stored with them, without the checksum. */
  readonly metadata: Record<string, string>;
}

const LENGTH_BYTES = 8;
const ALIGNMENT = 8;
const METADATA = "__metadata__";
const CHECKSUM = "checksum";
const CHECKSUM_FORM = /^crc32:[0-9a-f]{8}$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

const FORMAT_NAME: Readonly<Record<DType, string>> = { float64: "F64", float32: "F32", int32: "I32" };
const DTYPE_OF_FORMAT_NAME: ReadonlyMap<unknown, DType> = new Map(
  Object.entries(FORMAT_NAME).map(([dtype, name]) => [name, dtype as DType]),
);
/** The order in which the reference writer stores element types: strictest alignment first. */
const DTYPE_ORDER: readonly DType[] = ["float64", "float32", "int32"];

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Turns elements in the machine's byte order into little-endian ones, or back, in place. */
function toLittleEndian(bytes: Uint8Array, elementSize: number): Uint8Array {
  if (LITTLE_ENDIAN) return bytes;
  for (let start = 0; start < bytes.length; start += elementSize) bytes.subarray(start, start + elementSize).reverse();
  return bytes;
}

const byteSize = (tensor: Tensor): number => tensor.data.length * BYTES[tensor.dtype];

/** The elements as the file holds them; shares the tensor's memory where the machine has the same byte order. */
function littleEndianBytes(tensor: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = tensor.data;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return LITTLE_ENDIAN ? bytes : toLittleEndian(bytes.slice(), BYTES[tensor.dtype]);
}

/** Strictest alignment first, then by name: the order of the reference writer. */
const inFileOrder = (tensors: ReadonlyMap<string, Tensor>): [name: string, tensor: Tensor][] =>
  [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      DTYPE_ORDER.indexOf(a.dtype) - DTYPE_ORDER.indexOf(b.dtype) || compareCodePoints(nameA, nameB),
  );

const sortedEntries = (metadata: Readonly<Record<string, string>>): [key: string, value: string][] =>
  Object.entries(metadata).sort(([a], [b]) => compareCodePoints(a, b));

function checksumOf(tensors: readonly [string, Tensor][], metadata: Readonly<Record<string, string>>): string {
  const description = [sortedEntries(metadata), tensors.map(([name, { dtype, shape }]) => [name, dtype, shape])];
  let checksum = crc32(new TextEncoder().encode(JSON.stringify(description)));
  for (const [, tensor] of tensors) checksum = crc32(littleEndianBytes(tensor), checksum);
  return `crc32:${checksum.toString(16).padStart(8, "0")}`;
}

/** A JSON object whose keys keep their order, numbers-as-names included. */
const jsonObject = (entries: readonly (readonly [key: string, json: string])[]): string =>
  `{${entries.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(",")}}`;

function encodeHeader(tensors: readonly [string, Tensor][], metadata: readonly [string, string][]): Uint8Array {
  let end = 0;
  const entries = tensors.map(([name, tensor]) => {
    const begin = end;
    end += byteSize(tensor);
    const entry = { dtype: FORMAT_NAME[tensor.dtype], shape: tensor.shape, data_offsets: [begin, end] };
    return [name, JSON.stringify(entry)] as const;
  });
  const texts = jsonObject(metadata.map(([key, value]) => [key, JSON.stringify(value)] as const));
  const json = new TextEncoder().encode(jsonObject([[METADATA, texts], ...entries]));
  const padded = new Uint8Array(Math.ceil(json.length / ALIGNMENT) * ALIGNMENT).fill(" ".charCodeAt(0));
  padded.set(json);
  return padded;
}

function requireWritable(tensors: ReadonlyMap<string, Tensor>, metadata: Readonly<Record<string, string>>): void {
  if (tensors.has(METADATA)) {
    throw new OptionError(`encodeSafetensors: a tensor cannot be named "${METADATA}"; the format uses that name`);
  }
  if (Object.hasOwn(metadata, CHECKSUM)) {
    throw new OptionError(
      `encodeSafetensors: metadata cannot have the key "${CHECKSUM}", which the writer fills in; use another key`,
    );
  }
  for (const text of [...tensors.keys(), ...Object.entries(metadata).flat()]) {
    if (LONE_SURROGATE.test(text)) {
      throw new OptionError(
        `encodeSafetensors: the text ${JSON.stringify(text)} holds half a character (a lone surrogate), ` +
          "which UTF-8 cannot store; remove it",
      );
    }
  }
}

/**
 * Writes tensors in the safetensors format. The same tensors and metadata, in any order, give the same bytes.
 * @param tensors  by name; any shape, scalars and empty tensors included
 * @param metadata texts to store with them; `checksum` is added
 * @throws OptionError if a tensor is named `__metadata__`, metadata has the key `checksum`, or a text is not well-formed
 * @throws TraceError if a tensor is traced
 * @example encodeSafetensors(new Map(tensorsByPath(params)), { step: "100" })
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  requireWritable(tensors, metadata);
  const ordered = inFileOrder(tensors);
  const checksum: [string, string] = [CHECKSUM, checksumOf(ordered, metadata)];
  const header = encodeHeader(ordered, [...sortedEntries(metadata), checksum]);
  const dataBytes = ordered.reduce((sum, [, tensor]) => sum + byteSize(tensor), 0);
  const bytes = new Uint8Array(LENGTH_BYTES + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, LENGTH_BYTES);
  let next = LENGTH_BYTES + header.length;
  for (const [, tensor] of ordered) {
    bytes.set(littleEndianBytes(tensor), next);
    next += byteSize(tensor);
  }
  return bytes;
}

const damaged = (where: string, reason: string, options?: ErrorOptions): FileError =>
  new FileError(
    `"${where}" is damaged or not a safetensors file: ${reason}; use another copy, or save it again`,
    options,
  );

/** A plain record of JSON, or nothing. */
const asRecord = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

function decodeHeader(bytes: Uint8Array, where: string): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < LENGTH_BYTES) throw damaged(where, `it has ${bytes.length} bytes, but 8 are needed at least`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  const available = bytes.length - LENGTH_BYTES;
  if (length > BigInt(available)) {
    throw damaged(where, `its header should have ${length} bytes, but only ${available} follow`);
  }
  const end = LENGTH_BYTES + Number(length);
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(LENGTH_BYTES, end));
    header = JSON.parse(text);
  } catch (cause) {
    throw damaged(where, "its header is not JSON", { cause });
  }
  const record = asRecord(header);
  if (record === undefined) throw damaged(where, "its header is not a JSON object");
  return { header: record, data: bytes.subarray(end) };
}

function readMetadata(value: unknown, where: string): Record<string, string> {
  if (value === undefined) return {};
  const record = asRecord(value);
  if (record === undefined || !Object.values(record).every((text) => typeof text === "string")) {
    throw damaged(where, "its metadata is not a list of texts");
  }
  return record as Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);

function readEntry(name: string, value: unknown, where: string): Entry {
  const { dtype: formatName, shape, data_offsets: offsets } = asRecord(value) ?? {};
  const wrong = (reason: string) => damaged(where, `tensor "${name}" ${reason}`);
  if (typeof formatName !== "string") throw wrong("has no element type");
  const dtype = DTYPE_OF_FORMAT_NAME.get(formatName);
  if (dtype === undefined) {
    throw new FileError(
      `"${where}" holds tensor "${name}" of element type ${JSON.stringify(formatName)}, which is not supported; ` +
        "convert it to F32, F64 or I32",
    );
  }
  if (!isCounts(shape)) throw wrong("has no valid shape");
  if (!isCounts(offsets) || offsets.length !== 2) throw wrong("has no valid data offsets");
  const [begin, end] = offsets as [number, number];
  if (end - begin !== sizeOf(shape) * BYTES[dtype]) {
    throw wrong(`is ${formatName} [${shape.join(", ")}], which does not fit into its ${end - begin} bytes`);
  }
  return { name, dtype, shape, begin, end };
}

function requireContiguous(entries: readonly Entry[], dataBytes: number, where: string): void {
  let next = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== next) throw damaged(where, `tensor "${name}" begins at byte ${begin} of the data instead of ${next}`);
    next = end;
  }
  if (next !== dataBytes) throw damaged(where, `its tensors need ${next} bytes of data, but it holds ${dataBytes}`);
}

function readTensor({ dtype, shape, begin, end }: Entry, data: Uint8Array): HostTensor {
  const elements = allocate(dtype, sizeOf(shape));
  const bytes = new Uint8Array(elements.buffer);
  bytes.set(data.subarray(begin, end));
  toLittleEndian(bytes, BYTES[dtype]);
  return new HostTensor({ dtype, shape }, elements);
}

/** Takes our checksum out of the metadata after comparing it; another program's entry of that name stays. */
function verifyChecksum(contents: SafetensorsContents, where: string): SafetensorsContents {
  const { [CHECKSUM]: checksum, ...metadata } = contents.metadata;
  if (checksum === undefined || !CHECKSUM_FORM.test(checksum)) return contents;
  if (checksumOf(inFileOrder(contents.tensors), metadata) !== checksum) {
    throw new FileError(
      `"${where}" is damaged: its contents do not match its checksum; use another copy, or, ` +
        `if another program changed it on purpose, remove "${CHECKSUM}" from its metadata`,
    );
  }
  return { tensors: contents.tensors, metadata };
}

/**
 * Reads the safetensors format. Everything is checked before it is used; the checksum where there is one of ours.
 * @param bytes the whole file; not kept, the tensors are copies
 * @param where the file's name, for errors
 * @throws FileError naming the file and what is wrong with it; nothing else, whatever the bytes are
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): SafetensorsContents {
  const { header, data } = decodeHeader(bytes, where);
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, value]) => readEntry(name, value, where))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  requireContiguous(entries, data.length, where);
  const tensors = new Map(entries.map((entry) => [entry.name, readTensor(entry, data)]));
  return verifyChecksum({ tensors, metadata: readMetadata(header[METADATA], where) }, where);
}
