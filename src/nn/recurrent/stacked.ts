/** Recurrent layers on top of each other. */

import { foldIn, splitKey } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import { dropout } from "../layers/dropout.js";
import { requireChain } from "../require-chain.js";
import type { CarriesOfAll, ParamsOfAll } from "../types.js";
import { lastOverTime } from "./over-time.js";
import type { RecurrentLayer, RecurrentOptions, RecurrentResult, RecurrentReturn } from "./recurrent-layer.js";
import type { StepsResult } from "./run-steps.js";

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
export function stacked<const Layers extends readonly RecurrentLayer<TensorTree, TensorTree>[]>(
  layers: Layers,
  settings: { readonly dropout?: number } = {},
): RecurrentLayer<ParamsOfAll<Layers>, CarriesOfAll<Layers>> {
  // What each layer is given is what it made itself; in here, they are all the same.
  const stack = stackOf(layers, settings);
  return stack as unknown as RecurrentLayer<ParamsOfAll<Layers>, CarriesOfAll<Layers>>;
}

function stackOf<Params extends TensorTree, Carry extends TensorTree>(
  layers: readonly RecurrentLayer<Params, Carry>[],
  settings: { readonly dropout?: number },
): RecurrentLayer<readonly Params[], readonly Carry[]> {
  const rate = settings.dropout ?? 0;
  requireChain("stacked", "layer", layers, rate);
  const [first, last] = [layers[0], layers.at(-1)] as [RecurrentLayer<Params, Carry>, RecurrentLayer<Params, Carry>];
  return {
    inputSize: first.inputSize,
    outputSize: last.outputSize,
    init: (key, dtype) => {
      const keys = splitKey(key, layers.length);
      return layers.map((layer, index) => layer.init(keys[index] as Tensor, dtype));
    },
    initialCarry: (batchSize, dtype) => layers.map((layer) => layer.initialCarry(batchSize, dtype)),
    lastOf: last.lastOf?.bind(last) ?? lastOverTime,
    apply: <Return extends RecurrentReturn>(
      params: readonly Params[],
      xs: Tensor,
      options: RecurrentOptions<readonly Carry[], Return> = {},
    ) => {
      const { carry: carries, key, return: wanted, ...shared } = options;
      const results: StepsResult<Carry>[] = [];
      let outputs = xs;
      layers.forEach((layer, index) => {
        const layerKey = key && foldIn(key, index);
        if (index > 0 && layerKey) outputs = dropout(layerKey, outputs, rate);
        const result = layer.apply<RecurrentReturn>(params[index] as Params, outputs, {
          ...shared,
          ...(carries && { carry: carries[index] as Carry }),
          ...(layerKey && { key: layerKey }),
          // The layers inside always give sequences: the next one reads them.
          ...(wanted && { return: wanted === "last" && index < layers.length - 1 ? "sequence" : wanted }),
        });
        outputs = result.outputs;
        results.push(result);
      });
      return {
        outputs,
        carry: results.map(({ carry }) => carry),
        ...(wanted === "states" && { states: results.map(({ states }) => states) }),
      } as unknown as RecurrentResult<readonly Carry[], Return>;
    },
  };
}
