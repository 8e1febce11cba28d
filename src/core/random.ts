/**
 * Random bits as a pure function of a key and a counter: Threefry-2x32 with 20 rounds.
 *
 * Integer arithmetic only, so every kernel and every engine gives the same bits.
 * @see Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", doi:10.1145/2063384.2063405
 */

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const KEY_PARITY = 0x1bd11bda;

/** Encrypts the counter `(counter0, counter1)` under the key; writes the two words to `out[0]` and `out[1]`. */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number, out: Int32Array): void {
  const schedule0 = key0 | 0;
  const schedule1 = key1 | 0;
  const schedule2 = schedule0 ^ schedule1 ^ KEY_PARITY;
  let x0 = (counter0 + schedule0) | 0;
  let x1 = (counter1 + schedule1) | 0;
  for (let group = 1; group <= 5; group++) {
    const first = group % 2 === 1 ? 0 : 4;
    for (let round = 0; round < 4; round++) {
      const rotation = ROTATIONS[first + round] as number;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0;
    }
    const injected = group % 3;
    x0 = (x0 + (injected === 0 ? schedule0 : injected === 1 ? schedule1 : schedule2)) | 0;
    x1 = (x1 + (injected === 0 ? schedule1 : injected === 1 ? schedule2 : schedule0) + group) | 0;
  }
  out[0] = x0;
  out[1] = x1;
}

const scratch = new DataView(new ArrayBuffer(8));

/**
 * Natural logarithm of a normal positive number, from additions, multiplications and divisions only: the same
 * bits on every engine, which `Math.log` does not promise. Relative error below 4e-16 on (0, 1).
 *
 *   x = m 2^e,  log x = e log 2 + 2 artanh((m-1)/(m+1))
 */
export function exactLog(x: number): number {
  scratch.setFloat64(0, x);
  let exponent = (scratch.getUint32(0) >>> 20) - 1023;
  scratch.setUint32(0, (scratch.getUint32(0) & 0xfffff) | 0x3ff00000);
  let mantissa = scratch.getFloat64(0);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  for (let power = 23; power >= 1; power -= 2) series = series * square + 1 / power;
  return exponent * Math.LN2 + 2 * s * series;
}

const evaluatePolynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);

// Coefficients of algorithm AS 241 (PPND16), lowest power first.
const CENTRE_TOP = [
  3.387132872796366608, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
  4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
];
const CENTRE_BOTTOM = [
  1, 4.2313330701600911252e1, 6.871870074920579083e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
  3.930789580009271061e4, 2.8729085735721942674e4, 5.226495278852854561e3,
];
const MIDDLE_TOP = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258,
  2.4178072517745061177e-1, 2.27238449892691845833e-2, 7.7454501427834140764e-4,
];
const MIDDLE_BOTTOM = [
  1, 2.05319162663775882187, 1.6763848301838038494, 6.8976733498510000455e-1, 1.4810397642748007459e-1,
  1.51986665636164571966e-2, 5.475938084995344946e-4, 1.05075007164441684324e-9,
];
const TAIL_TOP = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 2.9656057182850489123e-1,
  2.6532189526576123093e-2, 1.2426609473880784386e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
];
const TAIL_BOTTOM = [
  1, 5.9983220655588793769e-1, 1.3692988092273580531e-1, 1.48753612908506148525e-2, 7.868691311456132591e-4,
  1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
];

/**
 * The standard normal quantile: the z with P(Z < z) = p, for p in (0, 1). Relative error about 1e-16.
 * @see Wichura 1988, algorithm AS 241, Applied Statistics 37, 477-484
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * evaluatePolynomial(CENTRE_TOP, r)) / evaluatePolynomial(CENTRE_BOTTOM, r);
  }
  const r = Math.sqrt(-exactLog(q < 0 ? p : 1 - p));
  const z =
    r <= 5
      ? evaluatePolynomial(MIDDLE_TOP, r - 1.6) / evaluatePolynomial(MIDDLE_BOTTOM, r - 1.6)
      : evaluatePolynomial(TAIL_TOP, r - 5) / evaluatePolynomial(TAIL_BOTTOM, r - 5);
  return q < 0 ? -z : z;
}
