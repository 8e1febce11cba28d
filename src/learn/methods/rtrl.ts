/** Real-time recurrent learning: the exact gradient, forward in time. */

import { denseInfluence } from "./dense-influence.js";
import { forwardInTime } from "./forward-in-time.js";
import type { LearningMethod } from "./method.js";

/**
 * Real-time recurrent learning. The influence P of the parameters θ on the n numbers of the carry c is carried along:
 *
 *   P_t = D_t P_{t-1} + ∂c_t/∂θ,  D_t = ∂c_t/∂c_{t-1}          dL_t/dθ = ∂L_t/∂θ + (∂L_t/∂c_{t-1})ᵀ P_{t-1}
 *
 * Exact: over a window it gives the gradient of `bptt`; and, other than that of `truncatedBptt`, it does not end where the
 * window begins. For any cell and any carry. Time O(n² |θ|) a step, memory O(n |θ|) for each sequence, whatever the length of the
 * stream.
 * @see Williams & Zipser 1989, doi:10.1162/neco.1989.1.2.270; Robinson & Fallside 1987
 * @example for await (const report of train({ problem, state, optimizer, batch, steps: 100, method: rtrl() })) { ... }
 */
export const rtrl = (): LearningMethod =>
  forwardInTime({ name: "rtrl", influence: (setting) => denseInfluence(setting) });
