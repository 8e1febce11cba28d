/** Protocol-buffer messages as plain records, read and written by a table of their fields. */

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

type Scalar = "string" | "bytes" | "int32" | "int64" | "float" | "double";

/** What stands in a field: a scalar, or another message (behind a function, since messages contain each other). */
type Kind = Scalar | (() => Message);

interface Field {
  readonly number: number;
  readonly kind: Kind;
  readonly repeated: boolean;
}

/** The fields of a message by name, and by number. */
export interface Message {
  readonly byName: ReadonlyMap<string, Field>;
  readonly byNumber: ReadonlyMap<number, readonly [name: string, field: Field]>;
}

/** A field that is there once at most. */
export const one = (number: number, kind: Kind): Field => ({ number, kind, repeated: false });

/** A field that may be there any number of times: an array. */
export const many = (number: number, kind: Kind): Field => ({ number, kind, repeated: true });

/** The table of a message: one row for each field of the record `T`. */
export function message<T>(fields: { readonly [Name in keyof T]-?: Field }): Message {
  const rows = Object.entries<Field>(fields);
  return { byName: new Map(rows), byNumber: new Map(rows.map((row) => [row[1].number, row])) };
}

/** Messages inside messages; real models have a few levels, and a damaged file must not exhaust the stack. */
const MAX_DEPTH = 100;

const WIRE_TYPES: Readonly<Record<Scalar, WireType>> = {
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
  int32: WireType.Varint,
  int64: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
};

const wireTypeOf = (kind: Kind): WireType => (typeof kind === "string" ? WIRE_TYPES[kind] : WireType.LengthDelimited);

type Fields = Record<string, unknown>;

// ------------------------------------------------------------------------------------------------------------ read

const READ_SCALAR: { readonly [Kind in Scalar]: (reader: BinaryReader) => unknown } = {
  string: (reader) => reader.string(true),
  bytes: (reader) => reader.bytes(),
  int32: (reader) => reader.int32(),
  int64: (reader) => Number(reader.int64()),
  float: (reader) => reader.float(),
  double: (reader) => reader.double(),
};

/**
 * Reads a message. Fields that the table lacks are passed over; `bytes` share the memory of the file.
 * @throws Error if the bytes are no such message
 */
export function readMessage(table: Message, bytes: Uint8Array, depth = 0): Fields {
  if (depth > MAX_DEPTH) throw new Error(`its messages are nested deeper than ${MAX_DEPTH} levels`);
  const reader = new BinaryReader(bytes);
  const result: Fields = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const row = table.byNumber.get(number);
    if (row === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    const [name, { kind, repeated }] = row;
    const values = readField(reader, kind, wireType, repeated, depth);
    if (!repeated) {
      result[name] = values[0];
      continue;
    }
    result[name] ??= [];
    for (const value of values) (result[name] as unknown[]).push(value);
  }
  return result;
}

/** The value of a field, or all values of a packed one. */
function readField(reader: BinaryReader, kind: Kind, wireType: WireType, repeated: boolean, depth: number): unknown[] {
  const packed = repeated && wireType === WireType.LengthDelimited && wireTypeOf(kind) !== WireType.LengthDelimited;
  if (!packed && wireType !== wireTypeOf(kind)) throw new Error(`a field has wire type ${wireType}`);
  if (typeof kind !== "string") return [readMessage(kind(), reader.bytes(), depth + 1)];
  const read = READ_SCALAR[kind];
  if (!packed) return [read(reader)];
  const inner = new BinaryReader(reader.bytes());
  const values: unknown[] = [];
  while (inner.pos < inner.len) values.push(read(inner));
  return values;
}

// ----------------------------------------------------------------------------------------------------------- write

const WRITE_SCALAR: { readonly [Kind in Scalar]: (writer: BinaryWriter, value: never) => unknown } = {
  string: (writer, value: string) => writer.string(value),
  bytes: (writer, value: Uint8Array) => writer.bytes(value),
  int32: (writer, value: number) => writer.int32(value),
  int64: (writer, value: number) => writer.int64(value),
  float: (writer, value: number) => writer.float(value),
  double: (writer, value: number) => writer.double(value),
};

/** Writes a message: its fields in the order of the table, repeated numbers packed. */
export function writeMessage(table: Message, record: object, writer: BinaryWriter = new BinaryWriter()): BinaryWriter {
  for (const [name, { number, kind, repeated }] of table.byName) {
    const value = (record as Fields)[name];
    if (value === undefined) continue;
    const values = repeated ? (value as readonly unknown[]) : [value];
    const write = (each: unknown): void => {
      if (typeof kind === "string") WRITE_SCALAR[kind](writer, each as never);
      else writeMessage(kind(), each as object, writer.fork()).join();
    };
    if (repeated && wireTypeOf(kind) !== WireType.LengthDelimited) {
      if (values.length === 0) continue;
      writer.tag(number, WireType.LengthDelimited).fork();
      values.forEach(write);
      writer.join();
    } else {
      for (const each of values) {
        writer.tag(number, wireTypeOf(kind));
        write(each);
      }
    }
  }
  return writer;
}
