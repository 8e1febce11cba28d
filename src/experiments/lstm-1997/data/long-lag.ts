/** Sequences whose last symbol is told by one of the first: the tasks of experiment 2. */

import type { RandomSource } from "../random-source.js";
import type { Sequence } from "../sequence.js";

/** All symbols but the last are shown; after each the next one is to be answered. */
const nextOf = (symbols: Int32Array<ArrayBuffer>): Sequence => ({
  inputs: symbols.slice(0, -1),
  targets: symbols.slice(1),
});

/**
 * Experiment 2a: one of the two sequences (x, a1, ..., a_{p-1}, x) and (y, a1, ..., a_{p-1}, y). Of the p + 1 symbols a1 has number 0; x and
 * y have the last two.
 * @param lag p
 */
export function fixedMiddle(random: RandomSource, lag: number): Sequence {
  const told = lag - 1 + random.bit();
  return nextOf(Int32Array.from({ length: lag + 1 }, (_, t) => (t === 0 || t === lag ? told : t - 1)));
}

/** Experiment 2b: as 2a, but the symbols between are drawn from a1, ..., a_{p-1}. */
export function randomMiddle(random: RandomSource, lag: number): Sequence {
  const told = lag - 1 + random.bit();
  return nextOf(
    Int32Array.from({ length: lag + 1 }, (_, t) => (t === 0 || t === lag ? told : random.integer(0, lag - 1))),
  );
}

/**
 * Experiment 2c: b, then x or y, then q distractors, and further ones until, with probability 1/10 each time, the trigger e comes. All
 * these are shown; then x or y, as before, is to be answered: 0 or 1. Of the p + 4 symbols the distractors come first, then e, b, x, y.
 * @param minimalLag q
 * @param distractors p
 */
export function triggered(random: RandomSource, minimalLag: number, distractors: number): Sequence {
  const [e, b, x] = [distractors, distractors + 1, distractors + 2];
  const answer = random.bit();
  let length = minimalLag;
  while (random.integer(0, 10) > 0) length += 1;
  const inputs = new Int32Array(length + 3);
  inputs.set([b, x + answer]);
  for (let t = 2; t < length + 2; t++) inputs[t] = random.integer(0, distractors);
  inputs[length + 2] = e;
  return { inputs, targets: Int32Array.of(answer) };
}
