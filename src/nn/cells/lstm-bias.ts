/** How the biases of LSTM cells with a forget gate begin. */

import { concatenate, fill, zeros } from "../../ops/index.js";
import type { FloatDType, Tensor } from "../../tensor/index.js";

/** `[4*hiddenSize]`, gates i, f, g, o: the forget bias, and zeros. */
export const lstmBias = (hiddenSize: number, forgetBias: number, dtype: FloatDType): Tensor =>
  concatenate([zeros([hiddenSize], dtype), fill([hiddenSize], forgetBias, dtype), zeros([2 * hiddenSize], dtype)]);
