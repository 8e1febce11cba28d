/** Standardization: zero mean and unit variance along the last axis, the core of layer normalisation. */

import { requireNumber } from "../core/index.js";
import { add, mean, multiply, negate, reciprocal, sqrt, square, subtract } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { customGradient } from "../transforms/index.js";

/** What is added to the variance. @default 1e-5 */
const EPSILON = 1e-5;

/**
 * Zero mean and unit variance along the last axis.
 *
 *   y = (x - μ) s,   s = 1 / √(σ² + ε),   μ and σ² over the last axis (σ² divides by its length)
 *   x̄ = s (ȳ - mean(ȳ) - y mean(ȳ y))
 *
 * The way back is that formula rather than what would be derived operation by operation: it is several times less work.
 * @param epsilon added to the variance, above 0. Default 1e-5
 * @see Ba, Kiros & Hinton 2016, Layer normalization, arXiv:1607.06450
 * @example const normalized = add(multiply(standardize(x), gain), shift);
 */
export function standardize(x: Tensor, { epsilon = EPSILON }: { readonly epsilon?: number } = {}): Tensor {
  requireNumber("standardize", "epsilon", epsilon, { above: 0 });
  return customGradient(
    (input) => {
      const centred = subtract(input, rowMean(input));
      const scale = reciprocal(sqrt(add(rowMean(square(centred)), epsilon)));
      return { result: multiply(centred, scale), kept: [scale] };
    },
    (cotangent, { result, kept: [scale] }) => {
      // s ȳ + shift + y along: numbers of a row are computed once for it, and each element takes two multiplications and two additions.
      const shift = negate(multiply(rowMean(cotangent), scale as Tensor));
      const along = negate(multiply(rowMean(multiply(cotangent, result)), scale as Tensor));
      return [add(add(multiply(cotangent, scale as Tensor), shift), multiply(result, along))];
    },
  )(x);
}

const rowMean = (x: Tensor): Tensor => mean(x, { axes: -1, keepAxes: true });
