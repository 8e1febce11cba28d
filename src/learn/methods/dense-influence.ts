/** The influence of parameters on the carry, all of it. */

import { add, identity, matmul, multiply, reshape, zeros } from "../../ops/index.js";
import { scan } from "../../scan/index.js";
import { sizeOf, type Tensor, type TensorType } from "../../tensor/index.js";
import type { Influence, Setting } from "./forward-in-time.js";

/** What is kept of the matrices. */
export interface Restriction {
  /** What takes the place of D `[units, units]`. */
  readonly transition: (D: Tensor) => Tensor;
  /** For each tensor of the parameters, `[units, ...]`. */
  readonly masks: readonly Tensor[];
}

/**
 * The whole matrix of influences, P_t = D_t P_{t-1} + ∂c_t/∂θ, a tensor `[units, ...]` for each tensor of the parameters.
 * @param restricted what is kept of D and of each P: P_t = mask ⊙ (D' P_{t-1} + ∂c_t/∂θ). Default: all
 */
export function denseInfluence({ layout, params }: Setting, restricted?: Restriction): Influence<readonly Tensor[]> {
  return {
    start: params.map(({ shape }) => zeros([layout.units, ...shape], layout.dtype)),
    recall: (influences, vector) => {
      const row = reshape(vector, [1, layout.units]);
      return influences.map((P, k) => reshape(matmul(row, asMatrix(P)), (params[k] as TensorType).shape));
    },
    advance: (influences, step) => {
      // Row k of D and of ∂c/∂θ, for all units k.
      const units = identity(layout.units, layout.dtype);
      const [, rows] = scan((none: readonly [], unit: Tensor) => [none, step.pullback(unit)], [], units);
      const D = restricted === undefined ? rows.carry : restricted.transition(rows.carry);
      return influences.map((P, k) => {
        const direct = rows.params[k] as Tensor;
        const next = add(reshape(matmul(D, asMatrix(P)), direct.shape), direct);
        return restricted === undefined ? next : multiply(next, restricted.masks[k] as Tensor);
      });
    },
  };
}

/** `[units, ...]` as `[units, numbers of the parameter]`. */
const asMatrix = (P: Tensor): Tensor => reshape(P, [P.shape[0] as number, sizeOf(P.shape.slice(1))]);
