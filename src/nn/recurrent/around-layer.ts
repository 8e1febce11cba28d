/** Ways around a recurrent layer: its outputs joined with its inputs. */

import { OptionError, requireKnownKeys, requireNumber } from "../../core/index.js";
import { add, expandDims, fill, multiply, select, sigmoid, splitKey, subtract } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import { type DenseParams, dense } from "../layers/dense.js";
import { lastOverTime } from "./over-time.js";
import type { RecurrentLayer, RecurrentOptions, RecurrentResult, RecurrentReturn } from "./recurrent-layer.js";
import { sequenceBatch } from "./sequence-batch.js";

/** The face of a layer around another one. `join` gives the outputs from inputs and inner outputs of all steps. */
function around<Params extends TensorTree, Inner extends TensorTree, Carry extends TensorTree>(
  where: string,
  layer: RecurrentLayer<Inner, Carry>,
  innerParams: (params: Params) => Inner,
  join: (params: Params, xs: Tensor, ys: Tensor) => Tensor,
): Omit<RecurrentLayer<Params, Carry>, "init"> {
  const { inputSize, outputSize } = layer;
  if (inputSize !== outputSize) {
    throw new OptionError(
      `${where}: the layer takes ${inputSize} features and gives ${outputSize}; both must be equal to join them`,
    );
  }
  const lastOf = layer.lastOf?.bind(layer) ?? lastOverTime;
  return {
    inputSize,
    outputSize,
    initialCarry: (batchSize, dtype) => layer.initialCarry(batchSize, dtype),
    lastOf,
    apply: <Return extends RecurrentReturn>(
      params: Params,
      xs: Tensor,
      options: RecurrentOptions<Carry, Return> = {},
    ) => {
      const { inputs, real } = sequenceBatch(where, { inputSize, reverse: false }, xs, options);
      const wanted = options.return === "states" ? "states" : "sequence";
      const result = layer.apply<RecurrentReturn>(innerParams(params), xs, { ...options, return: wanted });
      const joined = join(params, inputs, result.outputs);
      const outputs = real ? select(expandDims(real, -1), joined, 0) : joined;
      return {
        ...result,
        outputs: options.return === "last" ? lastOf(outputs, options) : outputs,
      } as RecurrentResult<Carry, Return>;
    },
  };
}

/**
 * A layer that adds to its inputs:  y_t = x_t + layer(x)_t. Parameters and carry are those of the layer.
 * @throws OptionError if the layer gives not as many features as it takes
 * @see He et al. 2016, arXiv:1512.03385; with recurrent layers: Wu et al. 2016, arXiv:1609.08144
 * @example const deeper = residual(recurrent(lstm({ inputSize: 32, hiddenSize: 32 })));
 */
export function residual<Params extends TensorTree, Carry extends TensorTree>(
  layer: RecurrentLayer<Params, Carry>,
): RecurrentLayer<Params, Carry> {
  return {
    init: (key, dtype) => layer.init(key, dtype),
    ...around<Params, Params, Carry>(
      "residual",
      layer,
      (params) => params,
      (_, xs, ys) => add(xs, ys),
    ),
  };
}

/** `layer`: of the layer inside; `gate`: `weight [features, features]`, `bias [features]` */
export type HighwayParams<Params extends TensorTree> = { readonly layer: Params; readonly gate: DenseParams };

/**
 * A layer whose outputs a gate mixes with its inputs. σ logistic, ⊙ elementwise.
 *
 *   y_t = g ⊙ layer(x)_t + (1 - g) ⊙ x_t        g = σ(W x_t + b)
 *
 * Starts: W by Glorot's rule.
 * @param settings.gateBias start of b: with a negative one, inputs pass at first. Default -1
 * @throws OptionError if the layer gives not as many features as it takes
 * @see Srivastava, Greff & Schmidhuber 2015, arXiv:1505.00387
 * @example const deeper = highway(recurrent(gru({ inputSize: 32, hiddenSize: 32 })));
 */
export function highway<Params extends TensorTree, Carry extends TensorTree>(
  layer: RecurrentLayer<Params, Carry>,
  settings: { readonly gateBias?: number } = {},
): RecurrentLayer<HighwayParams<Params>, Carry> {
  requireKnownKeys("highway", settings, ["gateBias"]);
  const { gateBias = -1 } = settings;
  requireNumber("highway", "gateBias", gateBias);
  const { inputSize } = layer;
  const gate = dense({ inputSize, outputSize: inputSize });
  return {
    init: (key, dtype = "float32") => {
      const [layerKey, gateKey] = splitKey(key);
      const { weight } = gate.init(gateKey, dtype);
      return { layer: layer.init(layerKey, dtype), gate: { weight, bias: fill([inputSize], gateBias, dtype) } };
    },
    ...around<HighwayParams<Params>, Params, Carry>(
      "highway",
      layer,
      (params) => params.layer,
      (params, xs, ys) => {
        const open = sigmoid(gate.apply(params.gate, xs));
        return add(multiply(open, ys), multiply(subtract(1, open), xs));
      },
    ),
  };
}
