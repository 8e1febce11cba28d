/** Recurrent weights as PyTorch names them, in both directions of travel. */

import { DataError } from "../core/index.js";
import type { ElmanParams, GRUParams, LSTMParams } from "../nn/index.js";
import { add, zerosLike } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import {
  isBothDirections,
  type LayerParams,
  layersOf,
  NamedReader,
  partOf,
  recurrentWeights,
  requireOnlyParts,
  type TensorsByName,
} from "./layer-maps.js";

/** The parameters of our cells, by the PyTorch module that computes the same. */
export interface PyTorchCells {
  readonly RNN: ElmanParams;
  readonly LSTM: LSTMParams;
  readonly GRU: GRUParams;
}

/** Name of a module of `torch.nn`. */
export type PyTorchModule = keyof PyTorchCells;

/** One layer, in one direction or both. */
export type PyTorchLayer<Module extends PyTorchModule> = LayerParams<PyTorchCells[Module]>;

const GATES: Readonly<Record<PyTorchModule, number>> = { RNN: 1, LSTM: 4, GRU: 3 };
const DIRECTIONS = ["", "_reverse"] as const;
const FORM = /^(weight_(?:ih|hh|hr)|bias_(?:ih|hh))_l(\d+)(_reverse)?$/;

/**
 * The state dictionary of `torch.nn.RNN` (with `nonlinearity="relu"` for `irnn`), `LSTM` or `GRU` with these parameters. Gate orders
 * agree, i, f, g, o and r, z, n. PyTorch adds two biases to each gate; where our cell has one, it becomes `bias_ih`, and `bias_hh` is 0.
 *
 *   weight_ih_l{layer}[_reverse] [gates*hiddenSize, inputs]       bias_ih_l{layer}[_reverse] [gates*hiddenSize]
 *   weight_hh_l{layer}[_reverse] [gates*hiddenSize, hiddenSize]   bias_hh_l{layer}[_reverse] [gates*hiddenSize]
 *
 * @param params of `recurrent(cell)` or `bidirectional(cell)`, or a list of them, as `stacked` has it
 * @param prefix stands before each name, such as `"rnn."`. Default none
 * @throws DataError if the parameters are not those of the module's cell, or some layers have two directions and others one
 * @see the section Variables of https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 * @example toPyTorch("LSTM", layer.init(key)).get("weight_ih_l0")
 */
export function toPyTorch<Module extends PyTorchModule>(
  module: Module,
  params: PyTorchLayer<Module> | readonly PyTorchLayer<Module>[],
  prefix = "",
): Map<string, Tensor> {
  const layers = layersOf<PyTorchCells[Module]>(params);
  if (layers.some((layer) => isBothDirections(layer) !== isBothDirections(layers[0] as PyTorchLayer<Module>))) {
    throw new DataError(
      `toPyTorch: a module of PyTorch has two directions in all layers or in none; export the layers one by one`,
    );
  }
  const named = layers.flatMap((layer, index) => {
    const directions = isBothDirections<PyTorchCells[Module]>(layer) ? [layer.forward, layer.backward] : [layer];
    return directions.flatMap((cell, direction) => {
      const suffix = `_l${index}${DIRECTIONS[direction]}`;
      return Object.entries(cellToPyTorch(module, cell)).map(
        ([name, tensor]) => [prefix + name + suffix, tensor] as const,
      );
    });
  });
  return new Map(named);
}

function cellToPyTorch(module: PyTorchModule, params: PyTorchCells[PyTorchModule]): Record<string, Tensor> {
  const where = `toPyTorch: ${module}`;
  const biases = module === "GRU" ? ["biasIh", "biasHh"] : ["bias"];
  requireOnlyParts(where, params, ["weightIh", "weightHh", ...biases]);
  const [biasIh, biasHh] = biases.map((name) => partOf(where, params, name, 1)) as [Tensor, Tensor | undefined];
  return {
    weight_ih: partOf(where, params, "weightIh", 2),
    weight_hh: recurrentWeights(where, params, GATES[module]),
    bias_ih: biasIh,
    bias_hh: biasHh ?? zerosLike(biasIh),
  };
}

/**
 * The parameters in a state dictionary of `torch.nn.RNN`, `LSTM` or `GRU`. Where our cell has one bias, it is the sum of both; a
 * module without biases gives zeros.
 * @param tensors by name; all names that begin with the prefix must belong to the module
 * @param prefix what stands before each name. Default none
 * @returns a list, first layer first, as `stacked` takes it; a layer alone is its only element
 * @throws DataError naming the tensor that is missing, left over or of another shape, or if the module has projections
 * @example const [params] = fromPyTorch("GRU", stateDict);   // for recurrent(gru(...))
 */
export function fromPyTorch<Module extends PyTorchModule>(
  module: Module,
  tensors: TensorsByName,
  prefix = "",
): PyTorchLayer<Module>[] {
  const where = `fromPyTorch: ${module}`;
  const own = new Map([...tensors].filter(([name]) => name.startsWith(prefix)));
  const forms = [...own.keys()].flatMap((name) => {
    const form = FORM.exec(name.slice(prefix.length));
    return form === null
      ? []
      : [{ name, kind: form[1] as string, layer: Number(form[2]), reverse: form[3] !== undefined }];
  });
  const projection = forms.find(({ kind }) => kind === "weight_hr");
  if (projection !== undefined) {
    throw new DataError(
      `${where}: ${projection.name} is a projection of the hidden state (proj_size), which our cells do not have`,
    );
  }
  const reader = new NamedReader(where, own);
  const directions = forms.some(({ reverse }) => reverse) ? DIRECTIONS : DIRECTIONS.slice(0, 1);
  const hasBias = forms.some(({ kind }) => kind.startsWith("bias"));
  const count = forms.reduce((most, { layer }) => Math.max(most, layer + 1), 1);
  let inputs: number | undefined;
  const layers = Array.from({ length: count }, (_, index) => {
    const cells = directions.map((direction) =>
      cellFromPyTorch(module, reader, { prefix, suffix: `_l${index}${direction}`, inputs, hasBias }),
    );
    inputs = directions.length * (cells[0]?.weightHh.shape[1] as number);
    return (cells.length === 1 ? cells[0] : { forward: cells[0], backward: cells[1] }) as PyTorchLayer<Module>;
  });
  reader.requireAllRead();
  return layers;
}

interface CellNames {
  readonly prefix: string;
  readonly suffix: string;
  /** Features of the layer's input, where known. */
  readonly inputs: number | undefined;
  readonly hasBias: boolean;
}

function cellFromPyTorch(
  module: PyTorchModule,
  reader: NamedReader,
  { prefix, suffix, inputs, hasBias }: CellNames,
): PyTorchCells[PyTorchModule] {
  const nameOf = (kind: string) => `${prefix}${kind}${suffix}`;
  const hiddenSize = reader.take(nameOf("weight_hh"), [undefined, undefined]).shape[1] as number;
  const rows = GATES[module] * hiddenSize;
  const weightHh = reader.take(nameOf("weight_hh"), [rows, hiddenSize]);
  const weightIh = reader.take(nameOf("weight_ih"), [rows, inputs]);
  const bias = (kind: string) =>
    hasBias ? reader.take(nameOf(kind), [rows]) : zerosLike({ dtype: weightHh.dtype, shape: [rows] });
  const [biasIh, biasHh] = [bias("bias_ih"), bias("bias_hh")];
  return module === "GRU" ? { weightIh, weightHh, biasIh, biasHh } : { weightIh, weightHh, bias: add(biasIh, biasHh) };
}
