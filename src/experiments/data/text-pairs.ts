/** Pairs of short texts: strings and their reversal, dates in words and in figures. */

import { uniform } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

/** A text, and what it is to become. */
export interface TextPair {
  readonly source: string;
  readonly target: string;
}

/** Whole numbers, each equally likely in [0, bound), for each of the bounds. */
function choose(key: Tensor, bounds: readonly number[]): number[] {
  const { data } = uniform(key, [bounds.length], "float64");
  return bounds.map((bound, k) => Math.floor((data[k] as number) * bound));
}

/** Letters that strings are made of. */
export const LETTERS = "abcdefghijklmnopqrstuvwxyz";
/** Least and most letters of a string. */
const [SHORTEST, LONGEST] = [5, 10] as const;

/** Random strings of 5 to 10 letters, such as `drawer`, which becomes `reward`. Two that are drawn apart are hardly ever the same. */
export function reversals(key: Tensor, count: number): TextPair[] {
  const width = LONGEST + 1;
  const bounds = Array.from({ length: count * width }, (_, k) =>
    k % width === 0 ? LONGEST - SHORTEST + 1 : LETTERS.length,
  );
  const drawn = choose(key, bounds);
  return Array.from({ length: count }, (_, pair) => {
    const [extra, ...letters] = drawn.slice(pair * width, (pair + 1) * width) as [number, ...number[]];
    const source = letters.slice(0, SHORTEST + extra).map((letter) => LETTERS[letter] as string);
    return { source: source.join(""), target: [...source].reverse().join("") };
  });
}

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/** Characters of dates in words. */
export const DATE_CHARACTERS = [...new Set([...MONTHS, ...WEEKDAYS, "0123456789 ,./"].join(""))].sort().join("");
/** Characters of dates in figures. */
export const ISO_CHARACTERS = "-0123456789";

/** From 1 January 1950 on: 100 years. */
const [FIRST_DAY, DAYS] = [Date.UTC(1950, 0, 1), 36_525] as const;
const MILLISECONDS = 86_400_000;
/** One day in this many is kept for testing. */
const KEPT = 10;

/** The ways to write a date; none leaves a doubt about day and month. */
const STYLES: readonly ((date: Date) => string)[] = [
  (date) => `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`,
  (date) => `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}`,
  (date) => `${MONTHS[date.getUTCMonth()]?.slice(0, 3)} ${date.getUTCDate()} ${date.getUTCFullYear()}`,
  (date) => `${date.getUTCDate()}.${date.getUTCMonth() + 1}.${date.getUTCFullYear()}`,
  (date) =>
    `${WEEKDAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`,
];

/**
 * Random dates of a century, in one of five styles, such as `March 9, 1987`, which becomes `1987-03-09`.
 * @param test whether they are of the days that are kept for testing, or of the others
 */
export function dates(key: Tensor, count: number, test: boolean): TextPair[] {
  const days = DAYS / KEPT;
  const bounds = Array.from({ length: count }, () => [Math.floor(days), KEPT - 1, STYLES.length]).flat();
  const drawn = choose(key, bounds);
  return Array.from({ length: count }, (_, pair) => {
    const [decade, place, style] = drawn.slice(3 * pair, 3 * pair + 3) as [number, number, number];
    const date = new Date(FIRST_DAY + (decade * KEPT + (test ? 0 : place + 1)) * MILLISECONDS);
    return { source: (STYLES[style] as (date: Date) => string)(date), target: date.toISOString().slice(0, 10) };
  });
}
