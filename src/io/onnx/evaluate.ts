/** Computes a graph, node by node: at once, or into the Program that is being traced. */

import { FileError, ToolkitError } from "../../core/index.js";
import { evaluateProgram, inline, isTracing, trace } from "../../program/index.js";
import { HostTensor, type Tensor } from "../../tensor/index.js";
import { NodeCall, nodeLabel, type Setting } from "./node-call.js";
import { operatorOf } from "./operators/index.js";
import type { OnnxGraph } from "./proto.js";
import { readTensor } from "./tensor-data.js";

/**
 * Computes the outputs of a graph.
 * @param values the values that its nodes may read, by name; not changed
 * @throws FileError naming the node that cannot be computed
 */
export function evaluateGraph(graph: OnnxGraph, values: ReadonlyMap<string, Tensor>, setting: Setting): Tensor[] {
  const { where } = setting;
  const known = new Map(values);
  const read = (name: string, reader: string): Tensor => {
    const value = known.get(name);
    if (value === undefined)
      throw new FileError(`"${where}": ${reader} reads "${name}", which nothing before it gives`);
    return value;
  };
  const evaluateInside = (inner: OnnxGraph, inputs: readonly Tensor[]): Tensor[] => {
    const visible = new Map(known);
    (inner.input ?? []).forEach(({ name }, index) => {
      const value = inputs[index];
      if (value !== undefined) visible.set(name ?? "", value);
    });
    for (const constant of inner.initializer ?? []) {
      visible.set(constant.name ?? "", readTensor(constant, `"${where}": initializer "${constant.name}"`));
    }
    return evaluateGraph(inner, visible, setting);
  };
  for (const node of graph.node ?? []) {
    const inputs = (node.input ?? []).map((name) => (name === "" ? undefined : read(name, nodeLabel(node))));
    const call = new NodeCall(node, inputs, { ...setting, evaluate: evaluateInside });
    const results = applyNode(call);
    call.outputs.forEach((name, index) => {
      const result = results[index];
      if (result !== undefined) known.set(name, result);
      else if (name !== "") throw call.error(`has an output ${index} ("${name}"), which is not supported`);
    });
  }
  return (graph.output ?? []).map(({ name }) => read(name ?? "", "the graph's output"));
}

/** Applies the operator of a node; to constants alone at once, so that shapes are known to the nodes that follow. */
function applyNode(call: NodeCall): readonly Tensor[] {
  const operator = operatorOf(call.source);
  if (operator === undefined) throw call.error("is an operator that is not supported");
  const apply = (): Tensor[] => {
    const result = operator(call);
    call.requireAllRead();
    return Array.isArray(result) ? (result as Tensor[]) : [result as Tensor];
  };
  try {
    const constant = call.inputs.every((input) => input === undefined || input instanceof HostTensor);
    if (!constant || !isTracing()) return apply();
    const { program, captured } = trace(apply, []);
    const fromConstants = captured.every((input) => input instanceof HostTensor);
    return fromConstants ? evaluateProgram(program, captured) : inline(program, captured);
  } catch (error) {
    // A RangeError comes from the engine: an array that cannot be that long.
    const expected = error instanceof ToolkitError || error instanceof RangeError;
    if (!expected || error instanceof FileError) throw error;
    throw call.error(`cannot be computed: ${error.message}`, error);
  }
}
