/** Strings of the embedded Reber grammar. */

import type { RandomSource } from "../random-source.js";
import type { Sequence } from "../sequence.js";

/** The symbols, in the order of their numbers. */
export const REBER_SYMBOLS = "BTPSXVE";

/** The Reber grammar: from each place, the symbols that may come next and the places they lead to. */
const GRAMMAR: readonly Readonly<Record<string, number>>[] = [
  { B: 1 },
  { T: 2, P: 3 },
  { S: 2, X: 4 },
  { T: 3, V: 5 },
  { X: 3, S: 6 },
  { P: 4, V: 6 },
  { E: 7 },
];
const END = GRAMMAR.length;

/** A string of the grammar, and after each symbol but the last the symbols that may come next. */
export interface ReberString {
  readonly text: string;
  readonly legal: readonly string[];
}

/**
 * A string of the embedded grammar, B T (a Reber string) T E or B P (a Reber string) P E, of at least 9 symbols: the last symbol but one
 * repeats the second. Where two symbols may come next, both are equally likely.
 * @see Smith & Zipser 1989, Learning sequential structures with the real-time recurrent learning algorithm; Fahlman 1991
 */
export function embeddedReber(random: RandomSource): ReberString {
  const branch = "TP"[random.bit()] as string;
  let text = `B${branch}`;
  const legal = ["TP"];
  for (let place = 0; place !== END; ) {
    const next = Object.keys(GRAMMAR[place] as object);
    const symbol = next.length === 1 ? (next[0] as string) : (next[random.bit()] as string);
    legal.push(next.join(""));
    text += symbol;
    place = GRAMMAR[place]?.[symbol] as number;
  }
  return { text: `${text}${branch}E`, legal: [...legal, branch, "E"] };
}

/** Every symbol but the last is shown, and the next one is to be answered. */
export function nextSymbols({ text }: ReberString): Sequence {
  const symbols = Int32Array.from(text, (symbol) => REBER_SYMBOLS.indexOf(symbol));
  return { inputs: symbols.slice(0, -1), targets: symbols.slice(1) };
}

/** Whether after each symbol the outputs of the symbols that may come next are larger than all others. */
export function predictsLegally(outputs: ArrayLike<number>, { legal }: ReberString): boolean {
  return legal.every((allowed, step) => {
    let [leastLegal, mostIllegal] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = 0; k < REBER_SYMBOLS.length; k++) {
      const output = outputs[step * REBER_SYMBOLS.length + k] as number;
      if (allowed.includes(REBER_SYMBOLS[k] as string)) leastLegal = Math.min(leastLegal, output);
      else mostIllegal = Math.max(mostIllegal, output);
    }
    return leastLegal > mostIllegal;
  });
}

/** So many strings; no string of `without` is among them. */
export function reberStrings(
  random: RandomSource,
  count: number,
  without: readonly ReberString[] = [],
): readonly ReberString[] {
  const excluded = new Set(without.map(({ text }) => text));
  const strings: ReberString[] = [];
  while (strings.length < count) {
    const string = embeddedReber(random);
    if (!excluded.has(string.text)) strings.push(string);
  }
  return strings;
}
