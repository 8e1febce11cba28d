/** Keeping gradients small. */

import { requireNumber } from "../core/index.js";
import { add, clamp, divide, maximum, multiply, sqrt, square, sum } from "../ops/index.js";
import { mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../tensor/index.js";

/** What is known when a gradient is changed. */
export interface UpdateContext {
  /** For whatever is random in this update. */
  readonly key: Tensor;
  /** int32 `[]`: updates made so far. */
  readonly updates: Tensor;
}

/** Changes gradients before the optimizer sees them. */
export type GradientTransform = <Params extends TensorTree>(gradient: Params, context: UpdateContext) => Params;

/** Euclidean norm of all tensors of a tree together:  √ Σ g² */
export const globalNorm = (tree: TensorTree): Tensor =>
  sqrt(
    tensorsByPath(tree)
      .map(([, leaf]) => sum(square(leaf)))
      .reduce((total, squared) => add(total, squared)),
  );

/**
 * Rescales a gradient whose norm is too large; its direction stays:  g · min(1, maxNorm / ‖g‖)
 * @param maxNorm greater than 0
 * @see Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063
 */
export function clipByNorm(maxNorm: number): <Params extends TensorTree>(gradient: Params) => Params {
  requireNumber("clipByNorm", "maxNorm", maxNorm, { above: 0 });
  return (gradient) => {
    // maxNorm / max(‖g‖, maxNorm), which is 1 below the limit and never divides by 0.
    const factor = divide(maxNorm, maximum(globalNorm(gradient), maxNorm));
    return mapTensors((leaf) => multiply(leaf, factor), gradient);
  };
}

/**
 * Holds each component in [-limit, limit].
 * @param limit greater than 0
 * @see Mikolov 2012, Statistical language models based on neural networks
 */
export function clipByValue(limit: number): <Params extends TensorTree>(gradient: Params) => Params {
  requireNumber("clipByValue", "limit", limit, { above: 0 });
  return (gradient) => mapTensors((leaf) => clamp(leaf, -limit, limit), gradient);
}
