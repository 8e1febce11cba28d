/**
 * The ONNX file format: the messages that importing and exporting need, with the field numbers of onnx.proto.
 *
 * All fields are optional, as in the format; 64-bit integers are numbers, rounded beyond 2⁵³.
 * @see https://github.com/onnx/onnx/blob/main/docs/IR.md
 */

import { FileError } from "../../core/index.js";
import { type Message, many, message, one, readMessage, writeMessage } from "./wire.js";

/** A text under a key. */
export interface OnnxEntry {
  readonly key?: string;
  readonly value?: string;
}

/** Which version of which set of operators a model uses; the domain of the standard set is "". */
export interface OnnxOperatorSet {
  readonly domain?: string;
  readonly version?: number;
}

/** A constant. Its elements stand in `rawData` (little-endian) or in the list of its element type. */
export interface OnnxTensor {
  readonly name?: string;
  readonly dims?: readonly number[];
  /** One of `ELEMENT_TYPE`. */
  readonly dataType?: number;
  readonly rawData?: Uint8Array;
  /** float */
  readonly floatData?: readonly number[];
  /** int32, and every type that is narrower: int16, bool, float16 (its bits), ... */
  readonly int32Data?: readonly number[];
  /** int64 */
  readonly int64Data?: readonly number[];
  /** double */
  readonly doubleData?: readonly number[];
  /** Elements in another file: its name, offset and length. */
  readonly externalData?: readonly OnnxEntry[];
  /** 1: elements in another file. */
  readonly dataLocation?: number;
}

/** A setting of a node; `type` (one of `ATTRIBUTE_TYPE`) says which field holds it. */
export interface OnnxAttribute {
  readonly name?: string;
  readonly type?: number;
  readonly f?: number;
  readonly i?: number;
  /** UTF-8 */
  readonly s?: Uint8Array;
  readonly t?: OnnxTensor;
  readonly g?: OnnxGraph;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  /** UTF-8 each */
  readonly strings?: readonly Uint8Array[];
}

/** One application of an operator; an input "" is left out. */
export interface OnnxNode {
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly attribute?: readonly OnnxAttribute[];
}

/** Length of an axis: a number, or a name for one that is known when the model runs. */
export interface OnnxDimension {
  readonly dimValue?: number;
  readonly dimParam?: string;
}

/** Axis lengths, outermost first. */
export interface OnnxShape {
  readonly dim?: readonly OnnxDimension[];
}

/** Element type (one of `ELEMENT_TYPE`) and shape; no shape: any. */
export interface OnnxTensorType {
  readonly elemType?: number;
  readonly shape?: OnnxShape;
}

/** The type of a value; only tensors are known here. */
export interface OnnxType {
  readonly tensorType?: OnnxTensorType;
}

/** Name and type of an input or an output. */
export interface OnnxValueInfo {
  readonly name?: string;
  readonly type?: OnnxType;
}

/** Nodes in an order in which they can be computed, with the constants that they read. */
export interface OnnxGraph {
  readonly name?: string;
  readonly node?: readonly OnnxNode[];
  readonly initializer?: readonly OnnxTensor[];
  readonly input?: readonly OnnxValueInfo[];
  readonly output?: readonly OnnxValueInfo[];
}

/** A whole file. */
export interface OnnxModel {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly docString?: string;
  readonly graph?: OnnxGraph;
  readonly opsetImport?: readonly OnnxOperatorSet[];
  readonly metadataProps?: readonly OnnxEntry[];
}

/** Numbers of the element types (`TensorProto.DataType`). */
export const ELEMENT_TYPE = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

/** Numbers of the types of attributes (`AttributeProto.AttributeType`). */
export const ATTRIBUTE_TYPE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

const entry: Message = message<OnnxEntry>({ key: one(1, "string"), value: one(2, "string") });

const operatorSet: Message = message<OnnxOperatorSet>({ domain: one(1, "string"), version: one(2, "int64") });

const tensor: Message = message<OnnxTensor>({
  dims: many(1, "int64"),
  dataType: one(2, "int32"),
  floatData: many(4, "float"),
  int32Data: many(5, "int32"),
  int64Data: many(7, "int64"),
  name: one(8, "string"),
  rawData: one(9, "bytes"),
  doubleData: many(10, "double"),
  externalData: many(13, () => entry),
  dataLocation: one(14, "int32"),
});

const attribute: Message = message<OnnxAttribute>({
  name: one(1, "string"),
  f: one(2, "float"),
  i: one(3, "int64"),
  s: one(4, "bytes"),
  t: one(5, () => tensor),
  g: one(6, () => graph),
  floats: many(7, "float"),
  ints: many(8, "int64"),
  strings: many(9, "bytes"),
  type: one(20, "int32"),
});

const node: Message = message<OnnxNode>({
  input: many(1, "string"),
  output: many(2, "string"),
  name: one(3, "string"),
  opType: one(4, "string"),
  attribute: many(5, () => attribute),
  domain: one(7, "string"),
});

const dimension: Message = message<OnnxDimension>({ dimValue: one(1, "int64"), dimParam: one(2, "string") });
const shape: Message = message<OnnxShape>({ dim: many(1, () => dimension) });
const tensorType: Message = message<OnnxTensorType>({ elemType: one(1, "int32"), shape: one(2, () => shape) });
const type: Message = message<OnnxType>({ tensorType: one(1, () => tensorType) });
const valueInfo: Message = message<OnnxValueInfo>({ name: one(1, "string"), type: one(2, () => type) });

const graph: Message = message<OnnxGraph>({
  node: many(1, () => node),
  name: one(2, "string"),
  initializer: many(5, () => tensor),
  input: many(11, () => valueInfo),
  output: many(12, () => valueInfo),
});

const model: Message = message<OnnxModel>({
  irVersion: one(1, "int64"),
  producerName: one(2, "string"),
  producerVersion: one(3, "string"),
  docString: one(6, "string"),
  graph: one(7, () => graph),
  opsetImport: many(8, () => operatorSet),
  metadataProps: many(14, () => entry),
});

/**
 * Reads an ONNX file.
 * @param bytes the whole file; `rawData` of its tensors shares their memory
 * @param where the file's name, for errors
 * @throws FileError if the bytes are no ONNX model, or only a part of one
 */
export function decodeOnnx(bytes: Uint8Array, where: string): OnnxModel {
  const damaged = (reason: string, cause?: unknown) =>
    new FileError(`"${where}" is damaged or not an ONNX model: ${reason}; use another copy, or export it again`, {
      cause,
    });
  let decoded: OnnxModel;
  try {
    decoded = readMessage(model, bytes);
  } catch (cause) {
    throw damaged((cause as Error).message, cause);
  }
  if (decoded.graph === undefined) throw damaged("it holds no graph");
  if (decoded.opsetImport === undefined) throw damaged("it does not say which operator set it uses");
  return decoded;
}

/** Writes an ONNX file. The same model gives the same bytes. */
export const encodeOnnx = (decoded: OnnxModel): Uint8Array => writeMessage(model, decoded).finish();
