/** Elman's letters: random consonants, each with the vowels that it brings. */

import { floor, multiply, uniform } from "../../ops/index.js";
import { type Tensor, tensor } from "../../tensor/index.js";

/** What each of the consonants expands to. */
const SYLLABLES = ["ba", "dii", "guuu"] as const;

/** Features of a letter: consonant, vowel, interrupted, high, back, voiced (Elman's table 1). */
export const LETTERS: Readonly<Record<string, readonly number[]>> = {
  b: [1, 0, 1, 0, 0, 1],
  d: [1, 0, 1, 1, 0, 1],
  g: [1, 0, 1, 0, 1, 1],
  a: [0, 1, 0, 0, 1, 1],
  i: [0, 1, 0, 1, 0, 1],
  u: [0, 1, 0, 1, 1, 1],
};

/** A text of equally likely syllables. @param count number of them */
export function syllables(key: Tensor, count: number): string {
  const choices = floor(multiply(uniform(key, [count]), SYLLABLES.length)).data;
  return Array.from(choices, (choice) => SYLLABLES[choice]).join("");
}

/** The features of each letter of a text, `[time, 6]`. */
export const letterFeatures = (text: string): Tensor => tensor([...text].map((letter) => LETTERS[letter] as number[]));
