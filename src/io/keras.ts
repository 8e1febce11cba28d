/** Recurrent weights as Keras 3 names and orders them, in both directions of travel. */

import type {
  DenseParams,
  ElmanParams,
  EmbeddingParams,
  GRUParams,
  GRUResetBeforeParams,
  LSTMParams,
} from "../nn/index.js";
import { concatenate, reshape, slice, split, stack, transpose, zerosLike } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import {
  isBothDirections,
  type LayerParams,
  NamedReader,
  partOf,
  recurrentWeights,
  requireOnlyParts,
  type TensorsByName,
} from "./layer-maps.js";

/** The parameters of our cells, by the Keras layer that computes the same. */
export interface KerasCells {
  readonly SimpleRNN: ElmanParams;
  readonly LSTM: LSTMParams;
  readonly GRU: GRUParams;
  readonly "GRU(reset_after=False)": GRUResetBeforeParams;
}

/** Name of a recurrent layer of Keras. */
export type KerasLayer = keyof KerasCells;

/** Name of a layer in paths, and the place of each of our gates among those of Keras (i, f, c, o and z, r, h). */
const LAYERS: Readonly<Record<KerasLayer, { readonly name: string; readonly gates: readonly number[] }>> = {
  SimpleRNN: { name: "simple_rnn", gates: [0] },
  LSTM: { name: "lstm", gates: [0, 1, 2, 3] },
  GRU: { name: "gru", gates: [1, 0, 2] },
  "GRU(reset_after=False)": { name: "gru", gates: [1, 0, 2] },
};

/** Puts blocks of rows into another order. Each order above is its own inverse, so this goes both ways. */
const reorder = (x: Tensor, gates: readonly number[]): Tensor => {
  const blocks = split(x, gates.length, 0);
  return concatenate(
    gates.map((gate) => blocks[gate] as Tensor),
    0,
  );
};

/**
 * The weights of a Keras layer with these parameters, by the end of their paths.
 *
 *   {name}_cell/kernel           [inputSize, gates*units]     (ours transposed, gates in the order of Keras)
 *   {name}_cell/recurrent_kernel [units, gates*units]
 *   {name}_cell/bias             [gates*units], for GRU [2, 3*units]: of the input, of the state
 *
 * `name` is `simple_rnn`, `lstm` or `gru`; before the paths of `Bidirectional` stand `forward_{name}/` and `backward_{name}/`.
 * @param params of `recurrent(cell)` or `bidirectional(cell)`
 * @param prefix stands before each path, such as `"lstm/"`. Default none
 * @throws DataError if the parameters are not those of the layer's cell
 * @see https://keras.io/api/layers/recurrent_layers
 * @example toKeras("LSTM", params, "lstm/").get("lstm/lstm_cell/kernel")
 */
export function toKeras<Layer extends KerasLayer>(
  layer: Layer,
  params: LayerParams<KerasCells[Layer]>,
  prefix = "",
): Map<string, Tensor> {
  if (!isBothDirections<KerasCells[Layer]>(params)) return new Map(cellToKeras(layer, params, prefix));
  const { name } = LAYERS[layer];
  return new Map([
    ...cellToKeras(layer, params.forward, `${prefix}forward_${name}/`),
    ...cellToKeras(layer, params.backward, `${prefix}backward_${name}/`),
  ]);
}

function cellToKeras(layer: KerasLayer, params: KerasCells[KerasLayer], prefix: string): [string, Tensor][] {
  const where = `toKeras: ${layer}`;
  const { name, gates } = LAYERS[layer];
  const biases = layer === "GRU" ? ["biasIh", "biasHh"] : ["bias"];
  requireOnlyParts(where, params, ["weightIh", "weightHh", ...biases]);
  const rows = biases.map((bias) => reorder(partOf(where, params, bias, 1), gates));
  const cell = `${prefix}${name}_cell`;
  return [
    [`${cell}/kernel`, transpose(reorder(partOf(where, params, "weightIh", 2), gates))],
    [`${cell}/recurrent_kernel`, transpose(reorder(recurrentWeights(where, params, gates.length), gates))],
    [`${cell}/bias`, rows.length === 1 ? (rows[0] as Tensor) : stack(rows)],
  ];
}

/**
 * The parameters in the weights of a Keras layer; one without biases gives zeros.
 * @param layer name the second form of GRU for `reset_after=False`
 * @param tensors by path, as `{ weight.path: weight }` over `layer.weights`; all that begin with the prefix must belong to the layer
 * @param prefix what stands before `{name}_cell/`, or before `forward_{name}/`. Default none
 * @returns the parameters of `recurrent(cell)`, or of `bidirectional(cell)` where the paths have both directions
 * @throws DataError naming the tensor that is missing, left over or of another shape
 * @example const params = fromKeras("GRU", weights, "gru/");
 */
export function fromKeras<Layer extends KerasLayer>(
  layer: Layer,
  tensors: TensorsByName,
  prefix = "",
): LayerParams<KerasCells[Layer]> {
  const own = new Map([...tensors].filter(([path]) => path.startsWith(prefix)));
  const reader = new NamedReader(`fromKeras: ${layer}`, own);
  const [forward, backward] = ["forward", "backward"].map(
    (direction) => `${prefix}${direction}_${LAYERS[layer].name}/`,
  );
  const isBoth = [...own.keys()].some(
    (path) => path.startsWith(forward as string) || path.startsWith(backward as string),
  );
  const params = isBoth
    ? {
        forward: cellFromKeras(layer, reader, forward as string),
        backward: cellFromKeras(layer, reader, backward as string),
      }
    : cellFromKeras(layer, reader, prefix);
  reader.requireAllRead();
  return params as LayerParams<KerasCells[Layer]>;
}

function cellFromKeras(layer: KerasLayer, reader: NamedReader, prefix: string): KerasCells[KerasLayer] {
  const { name, gates } = LAYERS[layer];
  const path = (weight: string) => `${prefix}${name}_cell/${weight}`;
  const units = reader.take(path("recurrent_kernel"), [undefined, undefined]).shape[0] as number;
  const columns = gates.length * units;
  const weights = {
    weightIh: reorder(transpose(reader.take(path("kernel"), [undefined, columns])), gates),
    weightHh: reorder(transpose(reader.take(path("recurrent_kernel"), [units, columns])), gates),
  };
  const none = zerosLike({ dtype: weights.weightHh.dtype, shape: [columns] });
  if (!reader.has(path("bias")))
    return layer === "GRU" ? { ...weights, biasIh: none, biasHh: none } : { ...weights, bias: none };
  if (layer !== "GRU") return { ...weights, bias: reorder(reader.take(path("bias"), [columns]), gates) };
  const both = reader.take(path("bias"), [2, columns]);
  const row = (index: number) => reorder(reshape(slice(both, 0, index, index + 1), [columns]), gates);
  return { ...weights, biasIh: row(0), biasHh: row(1) };
}

/** The weights of a Keras `Dense` layer: `kernel [inputSize, outputSize]` and `bias`. @param prefix such as `"dense/"` */
export const denseToKeras = ({ weight, bias }: DenseParams, prefix = ""): Map<string, Tensor> =>
  new Map([
    [`${prefix}kernel`, transpose(weight)],
    [`${prefix}bias`, bias],
  ]);

/** The parameters in the weights of a Keras `Dense` layer. @throws DataError if one is missing or has another shape */
export function denseFromKeras(tensors: TensorsByName, prefix = ""): DenseParams {
  const reader = new NamedReader("denseFromKeras", tensors);
  const kernel = reader.take(`${prefix}kernel`, [undefined, undefined]);
  return { weight: transpose(kernel), bias: reader.take(`${prefix}bias`, [kernel.shape[1]]) };
}

/** The weights of a Keras `Embedding` layer: `embeddings [size, outputSize]`. @param prefix such as `"embedding/"` */
export const embeddingToKeras = ({ table }: EmbeddingParams, prefix = ""): Map<string, Tensor> =>
  new Map([[`${prefix}embeddings`, table]]);

/** The parameters in the weights of a Keras `Embedding` layer. @throws DataError if there are none */
export const embeddingFromKeras = (tensors: TensorsByName, prefix = ""): EmbeddingParams => ({
  table: new NamedReader("embeddingFromKeras", tensors).take(`${prefix}embeddings`, [undefined, undefined]),
});
