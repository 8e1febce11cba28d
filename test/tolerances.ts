/** Largest allowed errors of computed numbers, in one table: `|actual - expected| <= tolerance * (1 + |expected|)`. */

import type { DType } from "../src/tensor/index.js";

export const TOLERANCES = {
  /** One rounding of the same float64 result: an elementwise operation, moved elements, a compiled twin. */
  exact: 0,
  /** Whole numbers have no rounding. */
  int32: 0,
  /** Unit roundoff 1e-16; up to some hundred roundings of sums taken in another order. */
  float64: 1e-12,
  /** Unit roundoff 6e-8; composed operations round between their steps to float32. */
  float32: 1e-6,
  /** Central differences of float64 with step 1e-4: rounding 1e-12 / step 1e-4, and higher derivatives times step^4. */
  gradient: 1e-6,
} as const satisfies Record<DType | "exact" | "gradient", number>;
