/** Functions of tensors as ONNX models. */

import { optimize } from "../../compile/index.js";
import { flattenTree, OptionError, requireKnownKeys, unflattenTree } from "../../core/index.js";
import { type Program, trace, type Variable } from "../../program/index.js";
import { type DType, isTensor, type Tensor, type TensorTree, type TensorType } from "../../tensor/index.js";
import { GraphBuilder, type SymbolSource, valueInfo } from "./export-graph.js";
import { type Sizes, samplePoints } from "./export-lengths.js";
import { computed, lazily, type Value } from "./export-operations.js";
import { constantValue, convertProgram, type ExportContext, requireOneForm, typeOf } from "./export-program.js";
import { findQuotients } from "./export-quotients.js";
import { WEIGHTS_ENTRY, WeightTable } from "./export-weights.js";
import { encodeOnnx, type OnnxValueInfo } from "./proto.js";
import { recognizeCells } from "./recognize-cells.js";
import { recognizeWindows } from "./recognize-windows.js";

/** Version of the operators that are used, and of the file format: ONNX 1.12, ONNX Runtime 1.12 (2022) and newer. */
const [OPERATOR_SET, FORMAT] = [17, 8] as const;

/** An input of an exported model: `{ shape: ["time", "batch", 8] }`. */
export interface OnnxInput {
  /** @default "float32" */
  readonly dtype?: DType;
  /** Lengths of the axes; a name for one that is known only when the model runs. */
  readonly shape: readonly (number | string)[];
}

/** What is exported. */
export interface OnnxExport<Params extends TensorTree> {
  /** The function. It is traced, with every name in the shapes standing for any length. */
  apply(params: Params, inputs: Readonly<Record<string, Tensor>>): TensorTree;
  /** Parameters, concrete; they become constants of the model. */
  readonly params: Params;
  /** Inputs by name. */
  readonly inputs: Readonly<Record<string, OnnxInput>>;
  /** Inputs that continue outputs, for running in pieces: `{ "initial.h": "final.h" }`. Stored as metadata. @default none */
  readonly states?: Readonly<Record<string, string>>;
  /** Texts to store with the model. @default none */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The entry of the metadata that pairs state inputs with outputs, as JSON. */
export const STATES_ENTRY = "through-time.states";

const OPTION_NAMES = ["apply", "params", "inputs", "states", "metadata"] as const;

/**
 * Writes a function as an ONNX model (operator set 17). A loop becomes the operator `RNN`, `LSTM` or `GRU` where its step computes
 * the same (float32; whoever wrote the step), else `Scan`. Outputs are named by their paths in what `apply` returns.
 *
 * The function is traced at several sizes, and its shapes become formulas in the names: sums and products of them are possible,
 * and what windows with strides make of one of them.
 * Random operations cannot be exported: leave keys out. Lengths are at least 1 when the model runs: ONNX Runtime refuses empty
 * sequences in most models.
 * @returns the bytes of the `.onnx` file
 * @throws OptionError naming what cannot be exported, and why
 * @see https://onnx.ai/onnx/operators
 * @example
 * const bytes = exportOnnx({
 *   params,
 *   inputs: { x: { shape: ["time", "batch", 8] } },
 *   apply: (params, { x }) => ({ y: layer.apply(params, x as Tensor).outputs }),
 * });
 */
export function exportOnnx<Params extends TensorTree>(options: OnnxExport<Params>): Uint8Array {
  requireKnownKeys("exportOnnx", options, OPTION_NAMES);
  const { inputs, states = {}, metadata = {} } = options;
  const reserved = [WEIGHTS_ENTRY, STATES_ENTRY].find((key) => Object.hasOwn(metadata, key));
  if (reserved !== undefined) {
    throw new OptionError(
      `exportOnnx: metadata cannot have the key "${reserved}", which the writer fills in; use another key`,
    );
  }
  const symbols = new Map<string, SymbolSource>();
  for (const [input, { shape }] of Object.entries(inputs)) {
    shape.forEach((length, axis) => {
      if (typeof length === "string" && !symbols.has(length)) symbols.set(length, { input, axis });
    });
  }
  const names = [...symbols.keys()];
  const wrong = names.find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (wrong !== undefined)
    throw new OptionError(`exportOnnx: "${wrong}" is no name for a length; use letters, digits and _`);

  const traces = samplePoints(names).map((sizes) => traceAt(options, sizes));
  const first = traces[0] as Trace;
  const parameters = first.params.map(([path, value], index) => [first.program.inputs[index], [path, value]] as const);
  const weights = new WeightTable(new Map(parameters as [Variable, readonly [string, Tensor]][]));
  const context: ExportContext = { symbols: names, quotients: new Map(), weights };
  const programs = traces.map(({ program }) => program);
  requireOneForm(context, programs);
  findQuotients(context, programs);

  const graph = new GraphBuilder(symbols, context.quotients);
  const values = new Map<Variable, Value>();
  const bind = (index: number, value: Value) => values.set(first.program.inputs[index] as Variable, value);
  for (const name of [...Object.keys(inputs), ...first.outputs]) requireNewName(graph, name);
  first.params.forEach(([path, value], index) => {
    const full = lazily(() => {
      weights.keep(path);
      return graph.constant(value, path);
    });
    bind(index, { full });
  });
  const inputInfo = Object.keys(inputs).map((name, index): OnnxValueInfo => {
    const place = first.params.length + index;
    bind(place, computed(name));
    const { dtype, shape } = typeOf(
      context,
      name,
      traces.map(({ program }) => program.inputs[place] as Variable),
    );
    return valueInfo(name, dtype, shape);
  });
  first.captured.forEach((_, index) => {
    const same = traces.map(({ captured }) => captured[index] as Tensor);
    bind(first.params.length + inputInfo.length + index, constantValue(context, graph, same, "constant"));
  });

  const outputInfo = convertProgram(context, graph, programs, values).map((value, index): OnnxValueInfo => {
    const name = first.outputs[index] as string;
    graph.nodes.push({ opType: "Identity", name, input: [value.full()], output: [name] });
    const { dtype, shape } = typeOf(
      context,
      name,
      programs.map(({ outputs }) => outputs[index] as Variable),
    );
    return valueInfo(name, dtype, shape);
  });
  requireStates(states, inputInfo, outputInfo);
  const entries = {
    ...metadata,
    [WEIGHTS_ENTRY]: JSON.stringify(weights.places),
    ...(Object.keys(states).length > 0 && { [STATES_ENTRY]: JSON.stringify(states) }),
  };
  return encodeOnnx({
    irVersion: FORMAT,
    producerName: "through-time",
    opsetImport: [{ domain: "", version: OPERATOR_SET }],
    graph: { name: "model", node: graph.nodes, initializer: graph.initializers, input: inputInfo, output: outputInfo },
    metadataProps: Object.entries(entries).map(([key, value]) => ({ key, value })),
  });
}

/** The function at one point: its inputs are parameters, inputs, then constants. */
interface Trace {
  readonly program: Program;
  readonly params: readonly (readonly [path: string, value: Tensor])[];
  readonly captured: readonly Tensor[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
}

function traceAt<Params extends TensorTree>({ apply, params, inputs }: OnnxExport<Params>, sizes: Sizes): Trace {
  const flat = flattenTree(params, isTensor);
  const types = Object.values(inputs).map(
    ({ dtype = "float32", shape }): TensorType => ({
      dtype,
      shape: shape.map((length) => (typeof length === "string" ? (sizes[length] as number) : length)),
    }),
  );
  let outputs: string[] = [];
  const traced = trace(
    (...tracers) => {
      const given = tracers.splice(flat.leaves.length);
      const named = Object.fromEntries(Object.keys(inputs).map((name, index) => [name, given[index] as Tensor]));
      const result = flattenTree(apply(unflattenTree(flat.definition, tracers) as Params, named), isTensor);
      outputs = result.paths.map((path) => (path === "" ? "output" : path));
      return result.leaves;
    },
    [...flat.leaves, ...types],
  );
  const recognized = recognizeCells(recognizeWindows(traced.program), (index) => index < flat.leaves.length);
  // A batch of any size has to give the same graph.
  const { program, captured } = optimize(recognized, () => false);
  return {
    program,
    params: flat.leaves.map((leaf, index) => [flat.paths[index] as string, leaf]),
    captured: [...traced.captured, ...captured],
    outputs,
  };
}

function requireNewName(graph: GraphBuilder, name: string): void {
  if (name !== "" && graph.name(name) === name) return;
  throw new OptionError(`exportOnnx: "${name}" is the name of two inputs or outputs; rename one`);
}

/** @throws OptionError unless each pair names an input and an output of one type */
function requireStates(
  states: Readonly<Record<string, string>>,
  inputs: readonly OnnxValueInfo[],
  outputs: readonly OnnxValueInfo[],
): void {
  for (const [from, to] of Object.entries(states)) {
    const [input, output] = [inputs.find(({ name }) => name === from), outputs.find(({ name }) => name === to)];
    if (input === undefined || output === undefined) {
      throw new OptionError(
        `exportOnnx: states pairs "${from}" with "${to}", but there is no such ${input ? "output" : "input"}`,
      );
    }
    if (JSON.stringify(input.type) !== JSON.stringify(output.type)) {
      throw new OptionError(`exportOnnx: the state "${from}" and the output "${to}" differ in type or shape`);
    }
  }
}
