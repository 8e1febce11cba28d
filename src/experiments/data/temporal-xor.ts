/** A stream in which two bits are random and the third is told by them. */

import { add, bernoulli, multiply, reshape, splitKey, stack, subtract } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

/**
 * Bits  a₁ b₁ c₁ a₂ b₂ c₂ ...   with a, b random and  c = a xor b = a + b - 2ab.
 * @param triples number of them
 * @returns int32 `[3 * triples]`
 */
export function temporalXor(key: Tensor, triples: number): Tensor {
  const [a, b] = splitKey(key).map((bitKey) => bernoulli(bitKey, 0.5, [triples]));
  return reshape(stack([a, b, subtract(add(a, b), multiply(2, multiply(a, b)))], 1), [3 * triples]);
}
