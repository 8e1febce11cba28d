/** A text split for training and validation, and the simplest model that a trained one must beat. */

import { DataError, requireNumber } from "../core/index.js";

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

const isPair = (text: string, index: number): boolean =>
  isHighSurrogate(text.charCodeAt(index)) && isLowSurrogate(text.charCodeAt(index + 1));

/**
 * Splits off the end of a text. Characters are counted, so a split never falls inside one.
 * @param fraction which part of the characters is for validation, rounded to whole characters; in [0, 0.5]
 * @returns `[training, validation]`, together the text
 * @throws OptionError if `fraction` is outside its range
 */
export function splitText(text: string, fraction: number): [training: string, validation: string] {
  requireNumber("splitText", "fraction", fraction, { from: 0, to: 0.5 });
  let characters = 0;
  for (let index = 0; index < text.length; index += isPair(text, index) ? 2 : 1) characters++;
  let cut = 0;
  for (let left = characters - Math.round(characters * fraction); left > 0; left--) cut += isPair(text, cut) ? 2 : 1;
  return [text.slice(0, cut), text.slice(cut)];
}

/**
 * The entropy of how often each token occurs: the loss, in nats per token, of a model that knows the frequencies and
 * no context.
 *
 *   H = -Σ p(k) log p(k),  p(k) = count of k / number of tokens
 *
 * @param tokens at least one, each at least 0
 * @param size the size of the vocabulary: checks that every token is below it. Default: no such check
 * @returns in [0, log of the number of distinct tokens]
 * @throws DataError if there are no tokens, or one is outside its range
 */
export function unigramEntropy(tokens: Int32Array, size?: number): number {
  if (tokens.length === 0) throw new DataError("unigramEntropy: there are no tokens; use a text that is not empty");
  const largest = tokens.reduce((a, b) => Math.max(a, b));
  const smallest = tokens.reduce((a, b) => Math.min(a, b));
  if (smallest < 0 || largest >= (size ?? Infinity)) {
    const wrong = smallest < 0 ? smallest : largest;
    const range = size === undefined ? "at least 0" : `from 0 to ${size - 1}`;
    throw new DataError(`unigramEntropy: ${wrong} is no token; tokens are whole numbers ${range}`);
  }
  const counts = new Float64Array(largest + 1);
  for (const token of tokens) counts[token] = (counts[token] as number) + 1;
  const surprise = (count: number): number => (count / tokens.length) * Math.log(tokens.length / count);
  return counts.reduce((sum, count) => (count === 0 ? sum : sum + surprise(count)), 0);
}
