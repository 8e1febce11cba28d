/** The cells that ONNX has operators for, and how our parameters stand in theirs. */

import { type Cell, coupledLstm, elman, gru, gruResetBefore, irnn, lstm, peepholeLstm } from "../../nn/index.js";
import type { TensorTree } from "../../tensor/index.js";
import type { AttributeValue } from "./export-graph.js";

/** One operator with settings. Gates of ONNX: i, o, f, c for LSTM and z, r, h for GRU. */
export interface NativeCell {
  readonly operator: "RNN" | "LSTM" | "GRU";
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Makes the cell of ours that computes the same. */
  make(sizes: { readonly inputSize: number; readonly hiddenSize: number }): Cell<TensorTree, TensorTree>;
  /** Names of our biases, `[blocks*hiddenSize]` each; ONNX adds one of the input and one of the state. */
  readonly biases: readonly string[];
  /** The block of rows of our weights that each gate of ONNX takes. */
  readonly gates: readonly number[];
  /** Blocks of `weightPeephole` in the order of ONNX. */
  readonly peepholes?: readonly number[];
}

const native = (
  operator: NativeCell["operator"],
  make: unknown,
  gates: readonly number[],
  rest: Partial<Pick<NativeCell, "attributes" | "biases" | "peepholes">> = {},
): NativeCell => ({ operator, make: make as NativeCell["make"], gates, biases: ["bias"], attributes: {}, ...rest });

/** Shapes of a cell's parameters, by name and in the order of names. */
export function weightShapes(
  { gates, biases, peepholes }: NativeCell,
  { inputSize, hiddenSize }: { readonly inputSize: number; readonly hiddenSize: number },
): Record<string, number[]> {
  const rows = new Set(gates).size * hiddenSize;
  const shapes = {
    weightIh: [rows, inputSize],
    weightHh: [rows, hiddenSize],
    ...Object.fromEntries(biases.map((name) => [name, [rows]])),
    ...(peepholes && { weightPeephole: [peepholes.length * hiddenSize] }),
  };
  return Object.fromEntries(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** In the order in which they are tried. */
export const NATIVE_CELLS: Readonly<Record<string, NativeCell>> = {
  elman: native("RNN", elman, [0]),
  irnn: native("RNN", irnn, [0], { attributes: { activations: ["Relu"] } }),
  lstm: native("LSTM", lstm, [0, 3, 1, 2]),
  peepholeLstm: native("LSTM", peepholeLstm, [0, 3, 1, 2], { peepholes: [0, 2, 1] }),
  // One gate for both: our i stands in the place of f, too, which the operator does not read.
  coupledLstm: native("LSTM", coupledLstm, [0, 2, 0, 1], { attributes: { input_forget: 1 } }),
  gru: native("GRU", gru, [1, 0, 2], { attributes: { linear_before_reset: 1 }, biases: ["biasIh", "biasHh"] }),
  gruResetBefore: native("GRU", gruResetBefore, [1, 0, 2]),
};
