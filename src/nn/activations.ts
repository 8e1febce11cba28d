/** Functions of whole vectors of activations. (Elementwise ones, such as tanh and relu, are operations.) */

import { exp, logSumExp, subtract } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";

/**
 * Logarithm of the softmax:  xᵢ - log Σⱼ exp(xⱼ)
 * @param axis default -1
 */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => subtract(x, logSumExp(x, { axes: axis, keepAxes: true }));

/**
 * Softmax:  exp(xᵢ) / Σⱼ exp(xⱼ), without overflow
 * @param axis default -1
 */
export const softmax = (x: Tensor, axis = -1): Tensor => exp(logSoftmax(x, axis));
