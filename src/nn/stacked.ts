/** Recurrent layers on top of each other. */

import { OptionError, requireNumber } from "../core/index.js";
import { foldIn, splitKey } from "../ops/index.js";
import type { Tensor, TensorTree } from "../tensor/index.js";
import { dropout } from "./layers/dropout.js";
import type { RecurrentLayer } from "./recurrent.js";

/**
 * A stack: the outputs of each layer are the inputs of the next. Parameters and carries are lists, first layer first.
 *
 *   h^l_t = cell^l(h^l_{t-1}, h^{l-1}_t)
 *
 * @param settings.dropout rate on the connections between layers, in [0, 1); acts only when `apply` is given a key. Default 0
 * @throws OptionError if there is no layer, sizes do not fit, or dropout is asked for with one layer (it would do nothing)
 * @see El Hihi & Bengio 1996; Graves 2013, arXiv:1308.0850; dropout: Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329
 * @example stacked([recurrent(lstm({ inputSize: 8, hiddenSize: 32 })), recurrent(lstm({ inputSize: 32, hiddenSize: 32 }))])
 */
export function stacked<Params extends TensorTree, Carry extends TensorTree>(
  layers: readonly RecurrentLayer<Params, Carry>[],
  settings: { readonly dropout?: number } = {},
): RecurrentLayer<readonly Params[], readonly Carry[]> {
  const rate = settings.dropout ?? 0;
  requireNumber("stacked", "dropout", rate, { from: 0, below: 1 });
  const [first, last] = [layers[0], layers.at(-1)];
  if (first === undefined || last === undefined) throw new OptionError("stacked: needs at least one layer");
  if (rate > 0 && layers.length === 1) {
    throw new OptionError(
      "stacked: dropout acts between layers and has no effect with one layer; remove it or add a layer",
    );
  }
  layers.slice(1).forEach(({ inputSize }, index) => {
    const { outputSize } = layers[index] as RecurrentLayer<Params, Carry>;
    if (outputSize !== inputSize) {
      throw new OptionError(
        `stacked: layer ${index + 1} takes ${inputSize} features, but layer ${index} gives ${outputSize}`,
      );
    }
  });
  return {
    inputSize: first.inputSize,
    outputSize: last.outputSize,
    init: (key, dtype) => {
      const keys = splitKey(key, layers.length);
      return layers.map((layer, index) => layer.init(keys[index] as Tensor, dtype));
    },
    initialCarry: (batchSize, dtype) => layers.map((layer) => layer.initialCarry(batchSize, dtype)),
    apply: (params, xs, options = {}) => {
      const { carry: carries, key, ...shared } = options;
      const after: Carry[] = [];
      let outputs = xs;
      layers.forEach((layer, index) => {
        const layerKey = key && foldIn(key, index);
        if (index > 0 && layerKey) outputs = dropout(layerKey, outputs, rate);
        const result = layer.apply(params[index] as Params, outputs, {
          ...shared,
          ...(carries && { carry: carries[index] as Carry }),
          ...(layerKey && { key: layerKey }),
        });
        outputs = result.outputs;
        after.push(result.carry);
      });
      return { outputs, carry: after };
    },
  };
}
