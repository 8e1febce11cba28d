/** Backpropagation through time over whole sequences. */

import { averageLoss } from "../../nn/index.js";
import { valueAndGrad } from "../../transforms/index.js";
import type { LearningMethod } from "./method.js";

/**
 * Backpropagation through time: every batch is a set of whole sequences, from the initial carry to their end.
 *
 *   ∂L/∂h_t = (∂h_{t+1}/∂h_t)ᵀ ∂L/∂h_{t+1} + (∂o_t/∂h_t)ᵀ ∂L/∂o_t        ∂L/∂θ = Σ_t (∂h_t/∂θ)ᵀ ∂L/∂h_t
 *
 * Exact. Time O(T P), memory O(T H) for T steps, P parameters, H units. The way back is the scan's own reverse rule.
 * @see Werbos 1990, doi:10.1109/5.58337; Rumelhart, Hinton & Williams 1986
 */
export const bptt = (): LearningMethod => ({
  name: "bptt",
  init: () => [],
  step: (problem, params, state, batch, key) => {
    const { gradient, extra } = valueAndGrad((point: typeof params) => {
      const { loss } = problem.loss(point, problem.initialCarry(batch), batch, key);
      return [averageLoss(loss), loss] as const;
    })(params);
    return { gradient, loss: extra, state };
  },
});
