/** Unbiased online recurrent optimization: the influence as a random product of two vectors. */

import { add, bernoulli, divide, fill, multiply, select, sqrt, square, sum, zeros } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { forwardInTime } from "./forward-in-time.js";
import type { LearningMethod } from "./method.js";

/** Added to norms, so that none is 0. */
const SMALLEST_NORM = 1e-7;

/**
 * UORO: the influence P is kept as one product of two vectors, a ⊗ b, whose mean over the random signs ν is P.
 *
 *   a_t = ρ₀ D_t a_{t-1} + ρ₁ ν          b_t = b_{t-1} / ρ₀ + νᵀ (∂c_t/∂θ) / ρ₁          ν_k = ±1
 *   ρ₀ = √(‖b_{t-1}‖ / ‖D_t a_{t-1}‖)     ρ₁ = √(‖νᵀ ∂c_t/∂θ‖ / ‖ν‖)
 *   dL_t/dθ = ∂L_t/∂θ + (a_{t-1} · ∂L_t/∂c_{t-1}) b_{t-1}
 *
 * Unbiased, with a variance that grows with the number of units and the length of what is to be remembered. Time of two more passes through the
 * step, O(|θ|), memory O(n + |θ|) for each sequence, whatever the length of the stream.
 * @see Tallec & Ollivier 2018, arXiv:1702.05043
 */
export const uoro = (): LearningMethod =>
  forwardInTime<{ readonly a: Tensor; readonly b: readonly Tensor[] }>({
    name: "uoro",
    influence: ({ layout, params }) => ({
      start: {
        a: zeros([layout.units], layout.dtype),
        b: params.map(({ shape }) => zeros(shape, layout.dtype)),
      },
      recall: ({ a, b }, vector) => {
        const weight = sum(multiply(a, vector));
        return b.map((part) => multiply(part, weight));
      },
      advance: ({ a, b }, step, key) => {
        const signs = select(bernoulli(key, 0.5, [layout.units]), fill([layout.units], 1, layout.dtype), -1);
        const pushed = step.pushCarry(a);
        const pulled = step.pullback(signs).params;
        const balance = (first: readonly Tensor[], second: readonly Tensor[]) =>
          sqrt(divide(add(norm(first), SMALLEST_NORM), add(norm(second), SMALLEST_NORM)));
        const rho0 = balance(b, [pushed]);
        const rho1 = balance(pulled, [signs]);
        return {
          a: add(multiply(rho0, pushed), multiply(rho1, signs)),
          b: b.map((part, k) => add(divide(part, rho0), divide(pulled[k] as Tensor, rho1))),
        };
      },
    }),
  });

/** ‖·‖ of several tensors together. */
const norm = (parts: readonly Tensor[]): Tensor =>
  sqrt(parts.map((part) => sum(square(part))).reduce((total, part) => add(total, part)));
