/** The networks of the workloads in this toolkit, with the starting weights that every competitor has. */

import * as tt from "through-time";
import { layerNormLstm, peepholeLstm } from "./cells.js";
import { type LayerWeights, layerWeights, readoutWeights } from "./numbers.js";
import { GATES, layerInputSize, READOUT_SIZE, type RecurrentWorkload } from "./workloads.js";

/** A stack of layers, and what of it is trained. */
export interface Model {
  readonly network: tt.RecurrentLayer<tt.TensorTree, tt.TensorTree>;
  readonly params: tt.TensorTree;
}

type AnyCell = tt.Cell<tt.TensorTree, tt.TensorTree>;

/** The toolkit's GRU, its second bias fixed at 0: the others train one bias. */
function gruOfOneBias(sizes: tt.GRUOptions): tt.Cell<Omit<tt.GRUParams, "biasHh">, tt.GRUState> {
  const cell = tt.gru(sizes);
  const biasHh = tt.zeros([3 * sizes.hiddenSize]);
  return { ...cell, step: (params, carry, x) => cell.step({ ...params, biasHh }, carry, x) };
}

const CELLS = { lstm: tt.lstm, gru: gruOfOneBias, rnn: tt.elman, peephole: peepholeLstm, lnlstm: layerNormLstm };

const vector = (values: Float32Array<ArrayBuffer>): tt.Tensor => tt.tensor(values);

/** An input-major matrix `[inputs, outputs]` as `[outputs, inputs]`, the layout of the toolkit. */
const matrix = (values: Float32Array<ArrayBuffer>, inputs: number): tt.Tensor =>
  tt.transpose(tt.tensor(values, { shape: [inputs, values.length / inputs] }));

function startParams(
  { cell, hiddenSize }: RecurrentWorkload,
  inputSize: number,
  { input, recurrent, bias, peepholes }: LayerWeights,
): Record<string, tt.Tensor> {
  const weights = { weightIh: matrix(input, inputSize), weightHh: matrix(recurrent, hiddenSize) };
  const columns = GATES[cell] * hiddenSize;
  switch (cell) {
    case "lstm":
    case "rnn":
      return { ...weights, bias: vector(bias) };
    case "gru":
      return { ...weights, biasIh: vector(bias) };
    case "peephole": {
      const [peepI, peepF, peepO] = peepholes.map(vector) as [tt.Tensor, tt.Tensor, tt.Tensor];
      return { ...weights, bias: vector(bias), peepI, peepF, peepO };
    }
    case "lnlstm": {
      const gains = { gainIh: tt.ones([columns]), gainHh: tt.ones([columns]), gainC: tt.ones([hiddenSize]) };
      return { ...weights, bias: vector(bias), ...gains, shiftC: tt.zeros([hiddenSize]) };
    }
  }
}

/** One cell of the workload, for its first layer or a higher one. */
export const cellOf = (workload: RecurrentWorkload, layer: number): AnyCell =>
  CELLS[workload.cell]({
    inputSize: layerInputSize(workload, layer),
    hiddenSize: workload.hiddenSize,
  }) as unknown as AnyCell;

/** Starting parameters of one layer. */
export const layerParams = (workload: RecurrentWorkload, layer: number): tt.TensorTree =>
  startParams(workload, layerInputSize(workload, layer), layerWeights(workload, layer));

/** All layers of a workload. */
export function recurrentModel(workload: RecurrentWorkload): Model {
  const layers = Array.from({ length: workload.layers }, (_, layer) => layer);
  return {
    network: tt.stacked(layers.map((layer) => tt.recurrent(cellOf(workload, layer)))) as unknown as Model["network"],
    params: layers.map((layer) => layerParams(workload, layer)),
  };
}

/** The readout of training workloads. */
export function readoutModel(workload: RecurrentWorkload): {
  readonly layer: tt.Dense;
  readonly params: tt.DenseParams;
} {
  const { hiddenSize } = workload;
  const { weight, bias } = readoutWeights(workload);
  return {
    layer: tt.dense({ inputSize: hiddenSize, outputSize: READOUT_SIZE }),
    params: { weight: matrix(weight, hiddenSize), bias: vector(bias) },
  };
}
