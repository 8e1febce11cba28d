/** Tanh units that start with few connections, and remember for a while. */

import { spectralRadius } from "../learn/index.js";
import { type Cell, type ElmanParams, type ElmanState, elman, normalInit } from "../nn/index.js";
import { bernoulli, cast, multiply, normal, splitKey, zeros } from "../ops/index.js";

/** Non-zero recurrent weights of a unit, on average; spectral radius of them all; standard deviation of the weights of inputs. */
const [CONNECTIONS, RADIUS, DEVIATION] = [15, 0.95, 0.01] as const;

/**
 * An Elman cell that starts as the "smart tanh" networks of the source: recurrent weights normal where they are not 0, scaled to a spectral
 * radius of .95; small weights of inputs; no biases. Differs: each weight is there with probability 15 / hiddenSize, not just 15 in each row.
 * @param sizes at least 15 hidden units
 * @see Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, section 4.1
 */
export function sparseElman(sizes: {
  readonly inputSize: number;
  readonly hiddenSize: number;
}): Cell<ElmanParams, ElmanState> {
  const { inputSize, hiddenSize } = sizes;
  return {
    ...elman(sizes),
    init: (key, dtype = "float32") => {
      const [inputKey, weightKey, placeKey] = splitKey(key, 3);
      const shape = [hiddenSize, hiddenSize];
      const places = cast(bernoulli(placeKey, CONNECTIONS / hiddenSize, shape), dtype);
      const weights = multiply(normal(weightKey, shape, dtype), places);
      return {
        weightIh: normalInit(DEVIATION)(inputKey, [hiddenSize, inputSize], dtype),
        weightHh: multiply(weights, RADIUS / spectralRadius(weights)),
        bias: zeros([hiddenSize], dtype),
      };
    },
  };
}
