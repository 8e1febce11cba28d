/** An ONNX model as a function of tensors. */

import { DataError, FileError, nearestName, ShapeError } from "../../core/index.js";
import { compile } from "../../runtime/index.js";
import { type DType, formatType, isFloat, sameType, type Tensor } from "../../tensor/index.js";
import { evaluateGraph } from "./evaluate.js";
import { nodeLabel } from "./node-call.js";
import { operatorOf } from "./operators/index.js";
import { decodeOnnx, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxValueInfo } from "./proto.js";
import { dtypeOf, elementTypeName, readTensor } from "./tensor-data.js";

/** Tensors by name. */
export type NamedTensors = { readonly [name: string]: Tensor };

/** What an input or an output of a model is. */
export interface OnnxValue {
  readonly name: string;
  /** Element type in the file: `float`, `int64`, `bool`, ... */
  readonly elementType: string;
  /** Element type here: whole numbers and bool are int32, half precision is float32. */
  readonly dtype: DType;
  /** Axis lengths: a number, the name of one that may differ from call to call, or `?`. Undefined: any shape. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** An imported model. */
export interface OnnxFunction {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Version of the standard operator set that the model uses. */
  readonly opset: number;
  /** The constants of floating-point type, by their names in the model: what can be trained. */
  readonly parameters: NamedTensors;
  /**
   * The model as a pure function, to be compiled, differentiated and trained further.
   * @returns the outputs by name
   * @throws DataError or ShapeError if parameters or inputs do not fit, FileError naming the node that cannot be computed
   * @example const loss = (params: NamedTensors) => mean(square(subtract(model.apply(params, { x }).y, target)));
   */
  apply(parameters: NamedTensors, inputs: NamedTensors): Record<string, Tensor>;
  /** The model with its own parameters, compiled once for each set of input shapes. Throws what `apply` throws. */
  run(inputs: NamedTensors): Record<string, Tensor>;
}

/** The oldest operator set whose operators have the meaning that is assumed here. */
const OLDEST_OPSET = 7;

/**
 * Reads an ONNX model: RNN, GRU and LSTM with all their settings, Scan, and the operators that stand around them in exported models.
 *
 * Shapes may be open: whatever the model computes from shapes and constants is known when it is traced for given inputs. There are
 * no types beyond float32, float64 and int32: half precision is computed in float32, and whole numbers must fit into int32.
 * @param bytes the whole file
 * @param where the file's name, for errors. Default "the model"
 * @throws FileError if the file is damaged, is no ONNX model, or contains an operator that is not supported
 * @see https://onnx.ai/onnx/intro/concepts.html
 * @example const model = importOnnx(bytes); const { logits } = model.run({ tokens: tensor([[1, 2, 3]], { dtype: "int32" }) });
 */
export function importOnnx(bytes: Uint8Array, where = "the model"): OnnxFunction {
  const model = decodeOnnx(bytes, where);
  const opset = readOpset(model, where);
  const graph = model.graph as OnnxGraph;
  requireOperators(graph, where);

  const constants = new Map(
    (graph.initializer ?? []).map((constant) => {
      const name = constant.name ?? "";
      return [name, readTensor(constant, `"${where}": initializer "${name}"`)] as const;
    }),
  );
  const parameters = Object.fromEntries([...constants].filter(([, { dtype }]) => isFloat(dtype)));
  const given = (graph.input ?? []).filter(({ name }) => !constants.has(name ?? ""));
  const inputs = given.map((info) => readValue(info, where));
  const outputs = (graph.output ?? []).map((info) => readValue(info, where));

  const apply = (replaced: NamedTensors, fed: NamedTensors): Record<string, Tensor> => {
    requireParameters(where, parameters, replaced);
    requireInputs(where, inputs, fed);
    const values = new Map<string, Tensor>([...constants, ...Object.entries(replaced), ...Object.entries(fed)]);
    const results = evaluateGraph(graph, values, { where, opset });
    return Object.fromEntries(outputs.map(({ name }, index) => [name, results[index] as Tensor]));
  };
  const compiled = compile((fed: NamedTensors) => apply(parameters, fed));
  const run = (fed: NamedTensors): Record<string, Tensor> => compiled(fed);
  return { inputs, outputs, opset, parameters, apply, run };
}

function readOpset({ opsetImport }: OnnxModel, where: string): number {
  const standard = opsetImport?.find(({ domain = "" }) => domain === "" || domain === "ai.onnx");
  const version = standard?.version ?? 0;
  if (version >= OLDEST_OPSET) return version;
  throw new FileError(`"${where}" uses operator set ${version}; export it with ${OLDEST_OPSET} or newer`);
}

/** @throws FileError naming every operator, at any depth, that is not supported */
function requireOperators(graph: OnnxGraph, where: string): void {
  const unknown = new Map<string, OnnxNode>();
  const visit = ({ node = [] }: OnnxGraph): void => {
    for (const each of node) {
      if (operatorOf(each) === undefined) unknown.set(`${each.domain ?? ""}.${each.opType}`, each);
      for (const { g } of each.attribute ?? []) if (g !== undefined) visit(g);
    }
  };
  visit(graph);
  if (unknown.size === 0) return;
  const nodes = [...unknown.values()].map((node) => nodeLabel(node) + (node.domain ? ` of ${node.domain}` : ""));
  throw new FileError(
    `"${where}" contains ${unknown.size === 1 ? "an operator that is" : "operators that are"} not supported: ${nodes.join(", ")}`,
  );
}

function readValue({ name = "", type }: OnnxValueInfo, where: string): OnnxValue {
  const { elemType, shape } = type?.tensorType ?? {};
  const elementType = elementTypeName(elemType);
  const dtype = dtypeOf(elemType);
  if (dtype === undefined) {
    throw new FileError(
      `"${where}": "${name}" has the type ${elementType}, which is not supported; tensors of numbers are`,
    );
  }
  const lengths = shape?.dim?.map(({ dimValue, dimParam }) =>
    dimValue !== undefined && dimValue >= 0 ? dimValue : dimParam || "?",
  );
  return { name, elementType, dtype, shape: shape === undefined ? undefined : (lengths ?? []) };
}

/** `float32[time,2,?]` */
const formatValue = ({ dtype, shape }: OnnxValue): string =>
  `${dtype}${shape === undefined ? " of any shape" : `[${shape.join(",")}]`}`;

/** What a record itself holds under a name, which may be any text. */
const own = (record: NamedTensors, name: string): Tensor | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

function requireInputs(where: string, inputs: readonly OnnxValue[], fed: NamedTensors): void {
  const names = inputs.map(({ name }) => name);
  const unknown = Object.keys(fed).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const advice = names.length === 0 ? "it has none" : `did you mean "${nearestName(unknown, names)}"?`;
    throw new DataError(`"${where}" has no input "${unknown}"; ${advice}`);
  }
  for (const input of inputs) {
    const value = own(fed, input.name);
    if (value === undefined) throw new DataError(`"${where}" needs the input "${input.name}", ${formatValue(input)}`);
    const fits =
      value.dtype === input.dtype &&
      (input.shape === undefined ||
        (input.shape.length === value.shape.length &&
          input.shape.every((length, axis) => typeof length === "string" || length === value.shape[axis])));
    if (!fits) {
      throw new ShapeError(
        `"${where}": the input "${input.name}" must be ${formatValue(input)}, but is ${formatType(value)}`,
      );
    }
  }
}

function requireParameters(where: string, parameters: NamedTensors, replaced: NamedTensors): void {
  const unknown = Object.keys(replaced).find((name) => !Object.hasOwn(parameters, name));
  if (unknown !== undefined) throw new DataError(`"${where}" has no parameter "${unknown}"`);
  for (const [name, expected] of Object.entries(parameters)) {
    const value = own(replaced, name);
    if (value !== undefined && sameType(value, expected)) continue;
    const found = value === undefined ? "is missing" : `is ${formatType(value)}`;
    throw new ShapeError(`"${where}": the parameter "${name}" must be ${formatType(expected)}, but ${found}`);
  }
}
