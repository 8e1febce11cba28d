/** The workloads: what is measured, on which sizes, and how many operations that takes. */

/** Cells that are measured; the last two are written as a user would write them. */
export type CellName = "lstm" | "gru" | "rnn" | "peephole" | "lnlstm";

/** One matrix product: `[rows, inner]` times `[inner, columns]`. */
export interface ProductWorkload {
  readonly name: string;
  readonly kind: "gemm";
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/**
 * A recurrent network over `time` steps of `batch` sequences.
 * - train: forward, backward and update; loss on the last step
 * - step: one streamed step, the state carried by the caller
 * - seq: forward only, all outputs
 */
export interface RecurrentWorkload {
  readonly name: string;
  readonly kind: "train" | "step" | "seq";
  readonly cell: CellName;
  readonly time: number;
  readonly batch: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
}

export type Workload = ProductWorkload | RecurrentWorkload;

/** Outputs of the readout of every training workload. */
export const READOUT_SIZE = 10;
/** Learning rate of every training workload: plain gradient descent. */
export const LEARNING_RATE = 0.1;

const product = (name: string, rows: number, inner: number, columns: number): Workload => ({
  name,
  kind: "gemm",
  rows,
  inner,
  columns,
});

/** `[time, batch, inputSize, hiddenSize]` */
type Sizes = readonly [time: number, batch: number, inputSize: number, hiddenSize: number];

const recurrent = (
  kind: RecurrentWorkload["kind"],
  cell: CellName,
  label: string,
  [time, batch, inputSize, hiddenSize]: Sizes,
  layers = 1,
): Workload => ({ name: `${kind}-${cell}-${label}`, kind, cell, time, batch, inputSize, hiddenSize, layers });

const TINY: Sizes = [20, 1, 8, 32];
const S: Sizes = [50, 32, 64, 128];
const M: Sizes = [100, 32, 128, 256];
const L: Sizes = [50, 64, 512, 512];
/** The small network of Zaremba, Sutskever & Vinyals 2014 for the Penn Treebank. */
const PTB: Sizes = [35, 20, 200, 200];

/** All workloads, in the order in which they run. */
export const WORKLOADS: readonly Workload[] = [
  product("gemm-rec-M", 32, 256, 1024),
  product("gemm-in-M", 3200, 128, 1024),
  product("gemm-1024", 1024, 1024, 1024),
  recurrent("train", "lstm", "tiny", TINY),
  recurrent("train", "lstm", "S", S),
  recurrent("train", "lstm", "M", M),
  recurrent("train", "lstm", "L", L),
  recurrent("train", "lstm", "ptb", PTB, 2),
  recurrent("train", "gru", "M", M),
  recurrent("train", "rnn", "M", M),
  recurrent("train", "peephole", "S", S),
  recurrent("train", "peephole", "M", M),
  recurrent("train", "lnlstm", "S", S),
  recurrent("train", "lnlstm", "M", M),
  ...[64, 128, 256, 512].map((size) => recurrent("step", "lstm", String(size), [1, 1, size, size])),
  recurrent("seq", "lstm", "M", M),
  recurrent("seq", "lstm", "L", L),
];

/** Gate blocks of a cell's weights. */
export const GATES: Readonly<Record<CellName, number>> = { lstm: 4, gru: 3, rnn: 1, peephole: 4, lnlstm: 4 };

/** Features that a layer reads. */
export const layerInputSize = ({ inputSize, hiddenSize }: RecurrentWorkload, layer: number): number =>
  layer === 0 ? inputSize : hiddenSize;

/**
 * Operations by the usual count: matrix products of the recurrent layers only, 2·B·T·G·H·(I+H) forward, and three times that
 * for a training step. The readout, elementwise work and the update are left out.
 */
export function nominalFlops(workload: Workload): number {
  if (workload.kind === "gemm") return 2 * workload.rows * workload.inner * workload.columns;
  const forward = sumOverLayers(workload, (inputSize) => inputSize + workload.hiddenSize);
  return workload.kind === "train" ? 3 * forward : forward;
}

/**
 * Operations of the products that are really computed: as above, without the gradient of the network's input, which nobody
 * asks for. Forward I+H, backward H (and I above the first layer), gradients of the weights I+H.
 */
export function computedFlops(workload: Workload): number {
  if (workload.kind !== "train") return nominalFlops(workload);
  const { hiddenSize } = workload;
  return sumOverLayers(
    workload,
    (inputSize, layer) => 2 * (inputSize + hiddenSize) + hiddenSize + (layer === 0 ? 0 : inputSize),
  );
}

/** Adds up 2·B·T·G·H·(rows of weights) over the layers. */
function sumOverLayers(workload: RecurrentWorkload, rows: (inputSize: number, layer: number) => number): number {
  const { batch, time, cell, hiddenSize, layers } = workload;
  const perRow = 2 * batch * time * GATES[cell] * hiddenSize;
  return Array.from({ length: layers }, (_, layer) => perRow * rows(layerInputSize(workload, layer), layer)).reduce(
    (total, flops) => total + flops,
    0,
  );
}
