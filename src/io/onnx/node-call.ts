/** One node of a graph as its operator sees it: inputs, settings, and what is known while tracing. */

import { FileError } from "../../core/index.js";
import { HostTensor, normalizeAxis, type Tensor } from "../../tensor/index.js";
import type { OnnxAttribute, OnnxGraph, OnnxNode } from "./proto.js";
import { readTensor } from "./tensor-data.js";

/** Computes the outputs of a node. */
export type Operator = (node: NodeCall) => Tensor | readonly Tensor[];

/** What holds for a whole model. */
export interface Setting {
  /** The model's name, for errors. */
  readonly where: string;
  /** Version of the standard operator set. */
  readonly opset: number;
}

/** What a node stands in. */
export interface Surroundings extends Setting {
  /** Computes a graph inside the node, which may read values of the graphs around it. */
  readonly evaluate: (graph: OnnxGraph, inputs: readonly Tensor[]) => Tensor[];
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** `node "lstm_1" (LSTM)`; a node without a name is told by its first output. */
export const nodeLabel = ({ name, opType, output }: OnnxNode): string =>
  `node "${name || (output?.[0] ?? "")}" (${opType})`;

/**
 * A node with the tensors it is applied to. Attributes are read by name with their defaults; those that an operator did not read
 * are found by `requireAllRead`.
 */
export class NodeCall {
  readonly opset: number;
  /** Names of the outputs; "" for one that nobody wants. */
  readonly outputs: readonly string[];
  readonly #attributes: ReadonlyMap<string, OnnxAttribute>;
  readonly #read = new Set<string>();

  constructor(
    readonly source: OnnxNode,
    readonly inputs: readonly (Tensor | undefined)[],
    readonly surroundings: Surroundings,
  ) {
    this.opset = surroundings.opset;
    this.outputs = source.output ?? [];
    this.#attributes = new Map((source.attribute ?? []).map((attribute) => [attribute.name ?? "", attribute]));
  }

  /** An error that names the model and the node. */
  error(reason: string, cause?: unknown): FileError {
    return new FileError(`"${this.surroundings.where}": ${nodeLabel(this.source)} ${reason}`, { cause });
  }

  /** An input that must be there. */
  input(index: number): Tensor {
    const found = this.inputs[index];
    if (found === undefined) throw this.error(`has no input ${index}, which the operator needs`);
    return found;
  }

  /** The numbers of an input that must be known while the model is traced: shapes, axes, counts. */
  known(index: number, what: string): number[] {
    const found = this.input(index);
    if (found instanceof HostTensor) return [...found.data];
    throw this.error(
      `computes its ${what} from the numbers of an input; it must follow from shapes and constants alone`,
    );
  }

  /** The one number of such an input. */
  knownNumber(index: number, what: string): number {
    const [value, ...others] = this.known(index, what);
    if (value === undefined || others.length > 0) throw this.error(`must have one number as its ${what}`);
    return value;
  }

  /** A list that is an attribute in older operator sets, and an input since; nothing where there is neither. */
  listed(attribute: string, index: number): number[] | undefined {
    const found = this.ints(attribute);
    return found ?? (this.inputs[index] === undefined ? undefined : this.known(index, attribute));
  }

  /** An axis that may count from the end, as one that counts from the start. */
  axis(axis: number, rank: number): number {
    return normalizeAxis(this.source.opType ?? "", axis, rank);
  }

  int<Default extends number | undefined>(name: string, missing: Default): number | Default {
    const attribute = this.#take(name);
    return attribute === undefined ? missing : (attribute.i ?? 0);
  }

  float<Default extends number | undefined>(name: string, missing: Default): number | Default {
    const attribute = this.#take(name);
    return attribute === undefined ? missing : (attribute.f ?? 0);
  }

  string(name: string, missing: string): string {
    const attribute = this.#take(name);
    return attribute === undefined ? missing : text(attribute.s ?? new Uint8Array());
  }

  /** One of some names. */
  choice<Name extends string>(name: string, choices: readonly [Name, ...Name[]]): Name {
    const given = this.string(name, choices[0]);
    const found = choices.find((choice) => choice === given);
    if (found !== undefined) return found;
    const verb = choices.length === 1 ? "is" : "are";
    throw this.error(`has ${name} "${given}", but only ${choices.join(", ")} ${verb} supported`);
  }

  ints(name: string): number[] | undefined {
    const attribute = this.#take(name);
    return attribute && [...(attribute.ints ?? [])];
  }

  floats(name: string): number[] | undefined {
    const attribute = this.#take(name);
    return attribute && [...(attribute.floats ?? [])];
  }

  strings(name: string): string[] | undefined {
    const attribute = this.#take(name);
    return attribute && (attribute.strings ?? []).map(text);
  }

  tensor(name: string): HostTensor | undefined {
    const value = this.#take(name)?.t;
    return value && readTensor(value, `"${this.surroundings.where}": ${name} of ${nodeLabel(this.source)}`);
  }

  /** A graph inside the node. */
  graph(name: string): OnnxGraph {
    const found = this.#take(name)?.g;
    if (found === undefined) throw this.error(`has no graph "${name}"`);
    return found;
  }

  /** Computes a graph inside the node. */
  evaluate(graph: OnnxGraph, inputs: readonly Tensor[]): Tensor[] {
    return this.surroundings.evaluate(graph, inputs);
  }

  /** Accepts attributes that do not change the result. */
  ignore(...names: string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** @throws FileError if there is an attribute that the operator does not know */
  requireAllRead(): void {
    for (const name of this.#attributes.keys()) {
      if (!this.#read.has(name)) throw this.error(`has the attribute "${name}", which is not supported`);
    }
  }

  #take(name: string): OnnxAttribute | undefined {
    this.#read.add(name);
    return this.#attributes.get(name);
  }
}
