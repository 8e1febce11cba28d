/** Dropout of activations. */

import { requireNumber } from "../../core/index.js";
import { bernoulli, multiply, select } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

/**
 * Sets each element to 0 with probability `rate` and scales the others by 1 / (1 - rate), which keeps the expectation.
 * On the connections between layers (not through time) this is the dropout of Zaremba et al.
 * @param rate in [0, 1)
 * @see Srivastava et al. 2014; Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329
 */
export function dropout(key: Tensor, x: Tensor, rate: number): Tensor {
  requireNumber("dropout", "rate", rate, { from: 0, below: 1 });
  return rate === 0 ? x : select(bernoulli(key, 1 - rate, x.shape), multiply(x, 1 / (1 - rate)), 0);
}
