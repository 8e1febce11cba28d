/** An optimizer that holds parameters inside a set. */

import type { TensorTree } from "../../tensor/index.js";
import type { Optimizer } from "./optimizer.js";

/**
 * An optimizer whose every update ends with a projection of the parameters: `project(update(θ))`. State, name and learning rate are
 * those of the optimizer, and a compiled update stays one call.
 * @param project to parameters of the same form; traced with the update, so made of operations
 * @example
 * const optimizer = constrained(adam(), (params: { layer: IndRNNParams; readout: DenseParams }) => ({
 *   ...params,
 *   layer: boundRecurrentWeights(params.layer, 2 ** (1 / 1000)),
 * }));
 */
export function constrained<Own extends TensorTree>(optimizer: Optimizer, project: (params: Own) => Own): Optimizer {
  return {
    name: optimizer.name,
    init: (params) => optimizer.init(params),
    update: (params, gradient, state) => {
      const after = optimizer.update(params, gradient, state);
      // The optimizer is handed the parameters that the projection was written for.
      return { ...after, params: project(after.params as unknown as Own) as unknown as typeof params };
    },
  };
}
