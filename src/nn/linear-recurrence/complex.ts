/** Complex numbers as two real tensors. */

import { add, multiply, subtract } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

/** Real and imaginary parts, of one shape. */
export type Complex = { readonly re: Tensor; readonly im: Tensor };

/** (a + bi)(c + di) = (ac - bd) + (ad + bc)i, elementwise */
export const complexMultiply = (x: Complex, y: Complex): Complex => ({
  re: subtract(multiply(x.re, y.re), multiply(x.im, y.im)),
  im: add(multiply(x.re, y.im), multiply(x.im, y.re)),
});
