/** Sequences of numbers that ask for one number in the end: the tasks of experiments 3, 4 and 5. */

import type { RandomSource } from "../random-source.js";
import type { Sequence } from "../sequence.js";

/** Length of a sequence: equally likely from T to T + ⌊T/10⌋ steps. */
const lengthOf = (random: RandomSource, minimum: number): number =>
  random.integer(minimum, minimum + Math.floor(minimum / 10) + 1);

/** How the sequences of experiment 3 differ. Variances, not standard deviations. */
export interface TwoClassesOptions {
  /** T: least length. */
  readonly minimumLength: number;
  /** N: how many of the first numbers tell the class. */
  readonly informative: number;
  /** Variance of the noise on these. @default 0 */
  readonly inputNoise?: number;
  /** What is to be answered for the second class and for the first. @default [0, 1] */
  readonly targets?: readonly [second: number, first: number];
  /** Variance of the noise on what is to be answered. @default 0 */
  readonly targetNoise?: number;
}

/** Variance of the numbers that tell nothing. */
const DISTRACTION = 0.2;

/**
 * Experiment 3: the first N numbers are 1 or -1, by the class, the rest is normal noise; the class is to be told in the end.
 * @see Bengio, Simard & Frasconi 1994, doi:10.1109/72.279181
 */
export function twoClasses(random: RandomSource, options: TwoClassesOptions): Sequence {
  const { minimumLength, informative, inputNoise = 0, targets = [0, 1], targetNoise = 0 } = options;
  const first = random.bit();
  const inputs = new Float32Array(lengthOf(random, minimumLength));
  for (let t = 0; t < inputs.length; t++) {
    inputs[t] = t < informative ? 2 * first - 1 + noise(random, inputNoise) : random.normal(Math.sqrt(DISTRACTION));
  }
  return { inputs, targets: Float32Array.of((targets[first] as number) + noise(random, targetNoise)) };
}

const noise = (random: RandomSource, variance: number): number =>
  variance === 0 ? 0 : random.normal(Math.sqrt(variance));

/** Which two numbers of a sequence are marked, and all its pairs (number, mark). */
interface MarkedPairs {
  readonly inputs: Float32Array<ArrayBuffer>;
  readonly first: number;
  readonly second: number;
}

/**
 * Pairs of a number and a mark: 1 for two pairs, one of the first ten and one of the first T/2 - 1 that are left; -1 for the first and the
 * last pair; else 0. If the first pair gets marked, its mark is 1 and its number is `neutral`.
 */
function markedPairs(random: RandomSource, minimumLength: number, neutral: number, number: () => number): MarkedPairs {
  const length = lengthOf(random, minimumLength);
  const inputs = new Float32Array(2 * length);
  for (let t = 0; t < length; t++) inputs[2 * t] = number();
  inputs[1] = -1;
  inputs[2 * length - 1] = -1;
  const one = random.integer(0, 10);
  const other = random.integer(0, Math.floor(minimumLength / 2) - 1);
  const two = other < one ? other : other + 1;
  inputs[2 * one + 1] = 1;
  inputs[2 * two + 1] = 1;
  if (one === 0 || two === 0) inputs[0] = neutral;
  return { inputs, first: inputs[2 * one] as number, second: inputs[2 * two] as number };
}

/** Experiment 4: numbers in [-1, 1); to be answered is ½ + (X1 + X2)/4. A first number that gets marked is 0. */
export function addingPairs(random: RandomSource, minimumLength: number): Sequence {
  const { inputs, first, second } = markedPairs(random, minimumLength, 0, () => 2 * random.uniform() - 1);
  return { inputs, targets: Float32Array.of(0.5 + (first + second) / 4) };
}

/** Experiment 5: numbers in [0, 1); to be answered is X1 X2. A first number that gets marked is 1. */
export function multiplyingPairs(random: RandomSource, minimumLength: number): Sequence {
  const { inputs, first, second } = markedPairs(random, minimumLength, 1, random.uniform);
  return { inputs, targets: Float32Array.of(first * second) };
}

/** As experiment 4, of numbers 0 and 1: to be answered is whether just one of the marked ones is 1. A first number that gets marked is 0. */
export function delayedXor(random: RandomSource, minimumLength: number): Sequence {
  const { inputs, first, second } = markedPairs(random, minimumLength, 0, random.bit);
  return { inputs, targets: Float32Array.of(first === second ? 0 : 1) };
}
