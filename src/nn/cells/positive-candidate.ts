/** The positive candidate of the minimal cells. */

import { add, greaterEqual, select, sigmoid } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

/** x + 1/2 where x ≥ 0, σ(x) elsewhere: positive, continuous and increasing. @see Feng et al. 2024, arXiv:2410.01201 */
export const positiveCandidate = (x: Tensor): Tensor => select(greaterEqual(x, 0), add(x, 0.5), sigmoid(x));
