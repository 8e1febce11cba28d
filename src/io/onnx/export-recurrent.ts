/** The operators RNN, LSTM and GRU. */

import type { Variable } from "../../program/index.js";
import type { GraphBuilder } from "./export-graph.js";
import { lazily, type Value } from "./export-operations.js";
import type { RowBlock, WeightTable } from "./export-weights.js";
import { NATIVE_CELLS, type NativeCell } from "./native-cells.js";
import type { NativeParams } from "./recognize-cells.js";

/**
 * A recognized loop as one node. The operators have an axis for directions, of length 1 here, and weights in blocks of their own order:
 *
 *   W [1, gates*hiddenSize, inputSize]   R [1, gates*hiddenSize, hiddenSize]   B [1, 2*gates*hiddenSize]   P [1, 3*hiddenSize]
 *
 * @param operands the sequence, the carries
 * @param weights variables of the cell's parameters, in the order of `params.weights`
 * @returns the last carries, and the outputs of all steps
 * @see https://onnx.ai/onnx/operators/onnx__LSTM.html
 */
export function recurrentNode(
  graph: GraphBuilder,
  params: NativeParams,
  operands: readonly Value[],
  weights: readonly Variable[],
  table: WeightTable,
): Value[] {
  const cell = NATIVE_CELLS[params.cell] as NativeCell;
  const [xs, ...states] = operands.slice(0, 1 + params.carries.length) as [Value, ...Value[]];
  const stateNames = params.carries.map((_, index) =>
    graph.node("Unsqueeze", [(states[index] as Value).full(), graph.integers([0])]),
  );
  // The operator takes h before c; by name, c stands first.
  const [h, c] = [params.carries.indexOf("h"), params.carries.indexOf("c")];
  const [w, r, b, p] = constants(graph, cell, params, weights, table);
  const inputs = [xs.full(), w, r, b, "", stateNames[h] as string, ...(c < 0 ? [] : [stateNames[c] as string, ...p])];
  const hiddenSize = (weights[params.weights.indexOf("weightHh")] as Variable).type.shape[1] as number;
  const attributes = {
    ...cell.attributes,
    hidden_size: hiddenSize,
    direction: params.reverse ? "reverse" : "forward",
  };
  const [ys, ...last] = graph.multiNode(cell.operator, inputs, attributes, 1 + states.length) as [string, ...string[]];
  const squeezed = (name: string, axis: number): Value => ({
    full: lazily(() => graph.node("Squeeze", [name, graph.integers([axis])])),
  });
  const carries = params.carries.map((name) => squeezed(last[name === "c" ? 1 : 0] as string, 0));
  return [...carries, squeezed(ys, 1)];
}

/** Names of W, R, B and perhaps P. */
function constants(
  graph: GraphBuilder,
  { gates, biases, peepholes }: NativeCell,
  { weights: names }: NativeParams,
  weights: readonly Variable[],
  table: WeightTable,
): [w: string, r: string, b: string, p: string[]] {
  const variable = (name: string) => weights[names.indexOf(name)] as Variable;
  const path = (name: string) => table.pathOf(variable(name));
  const prefix = path("weightIh").replace(/[^.]*$/, "");
  const [rows, inputSize] = variable("weightIh").type.shape as [number, number];
  const size = rows / new Set(gates).size;
  const blocks = (name: string, order: readonly number[]): RowBlock[] =>
    order.map((gate) => ({ path: path(name), from: gate * size, rows: size }));
  const initializer = (letter: string, inner: readonly number[], stacked: readonly RowBlock[]): string => {
    const name = graph.name(`${prefix}${letter}`);
    return graph.initializer(name, table.stack(name, [1, stacked.length * size, ...inner], stacked));
  };
  const [biasIh, biasHh] = biases as [string, string | undefined];
  const none = gates.map((): RowBlock => ({ from: 0, rows: size }));
  return [
    initializer("W", [inputSize], blocks("weightIh", gates)),
    initializer("R", [size], blocks("weightHh", gates)),
    initializer("B", [], [...blocks(biasIh, gates), ...(biasHh === undefined ? none : blocks(biasHh, gates))]),
    peepholes ? [initializer("P", [], blocks("weightPeephole", peepholes))] : [],
  ];
}
