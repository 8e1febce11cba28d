/** The error function, and the activation function made of it. */

import {
  abs,
  add,
  divide,
  exp,
  less,
  minimum,
  multiply,
  negate,
  select,
  sign,
  square,
  subtract,
  tanh,
} from "../../../ops/index.js";
import type { Tensor } from "../../../tensor/index.js";
import type { Operator } from "../node-call.js";

/** Where the first formula ends, and where erf is 1 even in float64. */
const [NEAR, FAR] = [0.46875, 6] as const;

/** A quotient of polynomials: coefficients from the highest power down. */
interface Rational {
  readonly above: readonly number[];
  readonly below: readonly number[];
}

/** erf(x) / x as a function of x², for |x| ≤ 0.46875 */
const CENTRE: Rational = {
  above: [0.185777706184603153, 3.1611237438705656, 113.864154151050156, 377.485237685302021, 3209.37758913846947],
  below: [1, 23.6012909523441209, 244.024637934444173, 1282.61652607737228, 2844.23683343917062],
};

/** eˣˣ (1 - erf(x)), for x ≥ 0.46875 */
const TAIL: Rational = {
  above: [
    2.15311535474403846e-8, 0.564188496988670089, 8.88314979438837594, 66.1191906371416295, 298.63513819740013,
    881.95222124176909, 1712.04761263407058, 2051.07837782607147, 1230.33935479799725,
  ],
  below: [
    1, 15.7449261107098347, 117.693950891312499, 537.181101862009858, 1621.38957456669019, 3290.79923573345963,
    4362.61909014324716, 3439.36767414372164, 1230.33935480374942,
  ],
};

const quotient = (x: Tensor, { above, below }: Rational): Tensor => {
  const polynomial = ([first, second, ...rest]: readonly number[]): Tensor =>
    rest.reduce(
      (value, coefficient) => add(multiply(value, x), coefficient),
      add(multiply(x, first as number), second as number),
    );
  return divide(polynomial(above), polynomial(below));
};

/**
 * The error function, 2/√π ∫₀ˣ exp(-t²) dt, by rational approximations: x R(x²) near 0, and 1 - exp(-x²) S(|x|) elsewhere. Errors are
 * below 2.5e-7 in float32, 5e-16 in float64. (S is made for |x| ≤ 4; behind that, what it multiplies is below 2e-7.)
 * @see Cody 1969, Rational Chebyshev approximations for the error function, doi:10.1090/S0025-5718-1969-0247736-4
 */
export function erf(x: Tensor): Tensor {
  const size = abs(x);
  const isNear = less(size, NEAR);
  // Each formula is given a number that suits it where the other one is chosen, for the gradient.
  const near = multiply(x, quotient(square(select(isNear, size, 0)), CENTRE));
  const bounded = minimum(select(isNear, NEAR, size), FAR);
  const tail = multiply(exp(negate(square(bounded))), quotient(bounded, TAIL));
  return select(isNear, near, multiply(sign(x), subtract(1, tail)));
}

/** x Φ(x), Φ the distribution function of the normal distribution: by `erf`, or approximately by tanh. */
export const gelu: Operator = (node) => {
  const x = node.input(0);
  const isApproximate = node.choice("approximate", ["none", "tanh"]) === "tanh";
  const inner = isApproximate
    ? tanh(multiply(add(x, multiply(multiply(square(x), x), 0.044715)), Math.sqrt(2 / Math.PI)))
    : erf(multiply(x, Math.SQRT1_2));
  return multiply(multiply(x, 0.5), add(inner, 1));
};
