/** Sequences in which the order of a few widely separated symbols tells the class: the tasks of experiment 6. */

import type { RandomSource } from "../random-source.js";
import type { Sequence } from "../sequence.js";

/** The symbols, in the order of their numbers. */
export const ORDER_SYMBOLS = "EBXYabcd";
const [E, B, X, NOISE, SYMBOLS] = [0, 1, 2, 4, 8] as const;

/** Where the symbols that matter may stand: from, to, both included; steps are counted from 0. */
export const TWO_PLACES: readonly (readonly [from: number, to: number])[] = [
  [10, 20],
  [50, 60],
];
/** As `TWO_PLACES`, for experiment 6b. */
export const THREE_PLACES: readonly (readonly [from: number, to: number])[] = [
  [10, 20],
  [33, 43],
  [66, 76],
];

/**
 * E, then symbols of a, b, c and d, and B in the end: 100 to 110 symbols. At each of the places stands X or Y instead; which ones in which
 * order is the class, to be answered in the end: the number that is written with X for 0 and Y for 1.
 */
export function temporalOrder(random: RandomSource, places: readonly (readonly [number, number])[]): Sequence {
  const inputs = new Int32Array(random.integer(100, 111));
  for (let t = 1; t < inputs.length; t++) inputs[t] = random.integer(NOISE, SYMBOLS);
  inputs[0] = E;
  inputs[inputs.length - 1] = B;
  let answer = 0;
  for (const [from, to] of places) {
    const symbol = random.bit();
    inputs[random.integer(from, to + 1)] = X + symbol;
    answer = 2 * answer + symbol;
  }
  return { inputs, targets: Int32Array.of(answer) };
}
