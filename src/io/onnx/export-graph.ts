/** An ONNX graph under construction. */

import { BYTES, type DType, HostTensor, type Tensor } from "../../tensor/index.js";
import { constantOf, formatLength, type Length, type Quotients, symbolsOf } from "./export-lengths.js";
import {
  ATTRIBUTE_TYPE,
  ELEMENT_TYPE,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from "./proto.js";

/** Numbers of our element types. */
export const ELEMENT_TYPE_OF: Readonly<Record<DType, number>> = {
  float32: ELEMENT_TYPE.float,
  float64: ELEMENT_TYPE.double,
  int32: ELEMENT_TYPE.int32,
};

/** Value of a setting: whole numbers, texts, or the body of a loop. */
export type AttributeValue = number | readonly number[] | string | readonly string[] | OnnxGraph;

/** Where the length of a symbol is read: an axis of an input. */
export interface SymbolSource {
  readonly input: string;
  readonly axis: number;
}

/** What a graph and the bodies of its loops share: constants, computed lengths and the numbering of names. */
interface Shared {
  readonly root: GraphBuilder;
  readonly initializers: Map<string, OnnxTensor>;
  /** Names of whole-number constants and of lengths, by what they hold. */
  readonly known: Map<string, string>;
  readonly symbols: ReadonlyMap<string, SymbolSource>;
  readonly quotients: Quotients;
  readonly names: Set<string>;
}

/** Collects nodes. Constants and lengths stand in the outermost graph, where the bodies of loops read them, too. */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  private readonly shared: Shared;

  /**
   * @param from the symbols of a new graph, or the graph around the body of a loop
   * @param quotients of a new graph: symbols that are computed from others. Default none
   */
  constructor(from: ReadonlyMap<string, SymbolSource> | GraphBuilder, quotients: Quotients = new Map()) {
    this.shared =
      from instanceof GraphBuilder
        ? from.shared
        : { root: this, initializers: new Map(), known: new Map(), symbols: from, quotients, names: new Set() };
  }

  /** Constants by name, in the order they were made. */
  get initializers(): readonly OnnxTensor[] {
    return [...this.shared.initializers.values()];
  }

  /** A name that nothing else has. */
  name(wanted: string): string {
    const { names } = this.shared;
    let name = wanted;
    for (let number = 1; names.has(name); number++) name = `${wanted}_${number}`;
    names.add(name);
    return name;
  }

  /** Adds a node with one output. @returns the name of the output */
  node(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    return this.multiNode(operator, inputs, attributes, 1)[0] as string;
  }

  /** Adds a node. @returns the names of its outputs */
  multiNode(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputs: number,
  ): string[] {
    const output = Array.from({ length: outputs }, () => this.name(operator.toLowerCase()));
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.nodes.push({ opType: operator, name: output[0] as string, input: [...inputs], output, attribute });
    return output;
  }

  /** A constant. @returns its name: the wanted one, or one like it */
  constant(value: Tensor, wanted = "constant"): string {
    return this.initializer(this.name(wanted), value);
  }

  /** A constant with a name that `name` gave. */
  initializer(name: string, value: Tensor): string {
    this.shared.initializers.set(name, tensorProto(name, value));
    return name;
  }

  /** The same number as a scalar of a type, made once. */
  scalar(value: number, dtype: DType): string {
    return this.once(`${dtype} ${Object.is(value, -0) ? "-0" : value}`, () => {
      const data = { float32: Float32Array, float64: Float64Array, int32: Int32Array }[dtype].of(value);
      return this.constant(new HostTensor({ dtype, shape: [] }, data), "scalar");
    });
  }

  /** Whole numbers as a constant int64 vector. */
  integers(values: readonly (number | bigint)[]): string {
    return this.once(`int64 ${values}`, () => {
      const name = this.name("integers");
      const bytes = new DataView(new ArrayBuffer(8 * values.length));
      values.forEach((value, index) => {
        bytes.setBigInt64(8 * index, BigInt(value), true);
      });
      const rawData = new Uint8Array(bytes.buffer);
      this.shared.initializers.set(name, { name, dims: [values.length], dataType: ELEMENT_TYPE.int64, rawData });
      return name;
    });
  }

  /** Lengths as an int64 vector, computed from the inputs' shapes where they depend on symbols. */
  lengths(lengths: readonly Length[]): string {
    const known = lengths.map(constantOf);
    if (!known.includes(undefined)) return this.integers(known as number[]);
    return this.once(`lengths ${lengths.map(formatLength)}`, () => {
      const parts = lengths.map((length) => this.length(length));
      return parts.length === 1 ? (parts[0] as string) : this.shared.root.node("Concat", parts, { axis: 0 });
    });
  }

  /** One length, as an int64 vector with one element. */
  private length(length: Length): string {
    const { root } = this.shared;
    const value = constantOf(length);
    if (value !== undefined) return this.integers([value]);
    return this.once(`lengths ${formatLength(length)}`, () =>
      [...length]
        .map(([key, factor]) => {
          const factors = symbolsOf(key).map((symbol) => this.symbol(symbol));
          if (factor !== 1 || factors.length === 0) factors.push(this.integers([factor]));
          return factors.reduce((a, b) => root.node("Mul", [a, b]));
        })
        .reduce((a, b) => root.node("Add", [a, b])),
    );
  }

  private symbol(symbol: string): string {
    const quotient = this.shared.quotients.get(symbol);
    if (quotient !== undefined) {
      const operands = [this.length(quotient.length), this.integers([quotient.by])];
      return this.once(`symbol ${symbol}`, () => this.shared.root.node("Div", operands));
    }
    const { input, axis } = this.shared.symbols.get(symbol) as SymbolSource;
    return this.once(`symbol ${symbol}`, () => this.shared.root.node("Shape", [input], { start: axis, end: axis + 1 }));
  }

  private once(what: string, make: () => string): string {
    const { known } = this.shared;
    const name = known.get(what) ?? make();
    known.set(what, name);
    return name;
  }
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function attributeOf(name: string, value: AttributeValue): OnnxAttribute {
  if (typeof value === "number") return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if (typeof value === "string") return { name, type: ATTRIBUTE_TYPE.string, s: utf8(value) };
  if (!Array.isArray(value)) return { name, type: ATTRIBUTE_TYPE.graph, g: value as OnnxGraph };
  if (typeof value[0] === "string") return { name, type: ATTRIBUTE_TYPE.strings, strings: value.map(utf8) };
  return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
}

/** A tensor as the format holds it: little-endian. */
function tensorProto(name: string, { dtype, shape, data }: Tensor): OnnxTensor {
  const bytes = new DataView(new ArrayBuffer(data.length * BYTES[dtype]));
  const write = { float32: bytes.setFloat32, float64: bytes.setFloat64, int32: bytes.setInt32 }[dtype];
  data.forEach((value, index) => {
    write.call(bytes, index * BYTES[dtype], value, true);
  });
  return { name, dims: [...shape], dataType: ELEMENT_TYPE_OF[dtype], rawData: new Uint8Array(bytes.buffer) };
}

/** Name and type of an input or output; a length that is a symbol keeps its name, a composed one is left open. */
export function valueInfo(name: string, dtype: DType, shape: readonly Length[]): OnnxValueInfo {
  const dim = shape.map((length) => {
    const value = constantOf(length);
    const text = formatLength(length);
    return value !== undefined ? { dimValue: value } : /^[^*+\d]\w*$/.test(text) ? { dimParam: text } : {};
  });
  return { name, type: { tensorType: { elemType: ELEMENT_TYPE_OF[dtype], shape: { dim } } } };
}
