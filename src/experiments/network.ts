/** The network of most experiments: a recurrent layer, and a linear readout. */

import { type DenseParams, dense, type RecurrentLayer } from "../nn/index.js";
import { splitKey } from "../ops/index.js";
import type { Tensor, TensorTree } from "../tensor/index.js";

/** Parameters of the layer and of the readout. */
export type NetworkParams<Params extends TensorTree> = { readonly layer: Params; readonly readout: DenseParams };

/** A network from sequences to outputs, from the initial carry. */
export interface Network<Params extends TensorTree> {
  init(key: Tensor): NetworkParams<Params>;
  /** What is read from the layer's outputs: `[..., hiddenSize]` to `[..., outputSize]`. */
  read(params: NetworkParams<Params>, states: Tensor): Tensor;
  /** Outputs at all steps: `[time, batch, inputSize]` to `[time, batch, outputSize]`. */
  outputs(params: NetworkParams<Params>, xs: Tensor): Tensor;
  /** The output at the last step: `[batch, outputSize]`. */
  last(params: NetworkParams<Params>, xs: Tensor): Tensor;
}

/** o_t = V h_t + c */
export function network<Params extends TensorTree>(
  layer: RecurrentLayer<Params, TensorTree>,
  outputSize: number,
): Network<Params> {
  const readout = dense({ inputSize: layer.outputSize, outputSize });
  const read = (params: NetworkParams<Params>, states: Tensor) => readout.apply(params.readout, states);
  return {
    init: (key) => {
      const [layerKey, readoutKey] = splitKey(key);
      return { layer: layer.init(layerKey), readout: readout.init(readoutKey) };
    },
    read,
    outputs: (params, xs) => read(params, layer.apply(params.layer, xs).outputs),
    last: (params, xs) => read(params, layer.apply(params.layer, xs, { return: "last" }).outputs),
  };
}
