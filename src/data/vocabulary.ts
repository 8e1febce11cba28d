/** Vocabularies: the numbering of the characters, bytes or words that a model reads and writes. */

import { compareCodePoints, DataError, OptionError, requireInteger, requireKnownKeys } from "../core/index.js";
import { wordJoiner, wordsOf } from "./words.js";

/** What one token is: a Unicode code point, a byte of the UTF-8 text, or a word. */
export type Unit = "character" | "byte" | "word";

/** Turns tokens into text piece by piece, for text that appears while it is made. */
export interface TokenDecoder {
  /** The text that these tokens add. Bytes of an unfinished character are kept back. @throws DataError as `decode` */
  push(tokens: ArrayLike<number>): string;
  /** The rest: U+FFFD if the last character was unfinished, else nothing. Use the decoder no more afterwards. */
  end(): string;
}

/** All that is needed to build a vocabulary again, as JSON. Symbols come in the order of their tokens. */
export type VocabularyJSON =
  | { readonly unit: "byte" }
  | { readonly unit: "character" | "word"; readonly symbols: readonly string[] };

/** A numbering of symbols, fixed once it is made. */
export interface Vocabulary {
  readonly unit: Unit;
  /** How many tokens there are, the unknown one included; tokens are 0 to size-1. */
  readonly size: number;
  /** A printable name for each token: itself, or `\n`, `U+00AD`, `0xff`, `<unk>`. */
  readonly tokens: readonly string[];
  /** The token of everything that is not in the vocabulary; none for bytes. */
  readonly unknown: number | undefined;
  /** The tokens of a text. */
  encode(text: string): Int32Array;
  /**
   * The text of tokens. Characters and bytes give exactly the text that was encoded, except for U+FFFD in place of
   * what is unknown or no UTF-8; words are joined with the spaces that a reader expects.
   * @throws DataError if a number is no token of this vocabulary
   */
  decode(tokens: ArrayLike<number>): string;
  /** Starts decoding piece by piece; all pieces together are what `decode` gives. */
  decoder(): TokenDecoder;
  /** What is needed to build it again, by `vocabularyFromJSON`. */
  toJSON(): VocabularyJSON;
}

const UNKNOWN = 0;
const UNKNOWN_NAME = "<unk>";
const REPLACEMENT_CHARACTER = "\uFFFD";
const BYTE_COUNT = 256;
const SPECIAL_NAMES: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);
/** Controls, invisible and unassigned characters, and all spaces but the plain one. */
const UNPRINTABLE = /^(?:\p{C}|(?! )\p{Z})$/u;

const hexadecimal = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");

function printable(symbol: string): string {
  const special = SPECIAL_NAMES.get(symbol);
  if (special !== undefined) return special;
  return UNPRINTABLE.test(symbol) ? `U+${hexadecimal(symbol.codePointAt(0) as number, 4).toUpperCase()}` : symbol;
}

/** The name of a byte: the ASCII character, or the number as in `0xff`. */
const byteName = (byte: number): string =>
  SPECIAL_NAMES.get(String.fromCharCode(byte)) ??
  (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `0x${hexadecimal(byte, 2)}`);

/** What the vocabularies have in common: decoding at once is decoding in one piece. */
function assemble(parts: Omit<Vocabulary, "size" | "decode">): Vocabulary {
  const decode = (tokens: ArrayLike<number>): string => {
    const decoder = parts.decoder();
    return decoder.push(tokens) + decoder.end();
  };
  return { ...parts, size: parts.tokens.length, decode };
}

function requireToken(token: number, size: number): void {
  if (Number.isInteger(token) && token >= 0 && token < size) return;
  throw new DataError(`decode: ${token} is no token; this vocabulary has the tokens 0 to ${size - 1}`);
}

function byteVocabulary(): Vocabulary {
  return assemble({
    unit: "byte",
    tokens: Array.from({ length: BYTE_COUNT }, (_, byte) => byteName(byte)),
    unknown: undefined,
    encode: (text) => new Int32Array(new TextEncoder().encode(text)),
    decoder: () => {
      const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
      return {
        push: (tokens) => {
          const bytes = Uint8Array.from(tokens, (token) => {
            requireToken(token, BYTE_COUNT);
            return token;
          });
          return utf8.decode(bytes, { stream: true });
        },
        end: () => utf8.decode(),
      };
    },
    toJSON: () => ({ unit: "byte" }),
  });
}

/** Decodes token by token with a function from symbols to the text they add. */
const symbolDecoder = (symbols: readonly string[], append: (symbol: string) => string): TokenDecoder => ({
  push: (tokens) => {
    const pieces = Array.from(tokens, (token) => {
      requireToken(token, symbols.length);
      return append(symbols[token] as string);
    });
    return pieces.join("");
  },
  end: () => "",
});

/** The numbers of a text's characters by code point: a plain table is several times faster than a Map of texts. */
function encodeCharacters(text: string, tokenOfCodePoint: Int32Array): Int32Array {
  const tokens = new Int32Array(text.length);
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const codePoint = text.codePointAt(index) as number;
    if (codePoint > 0xffff) index++;
    tokens[count++] = tokenOfCodePoint[codePoint] ?? UNKNOWN;
  }
  return tokens.slice(0, count);
}

function characterVocabulary(known: readonly string[]): Vocabulary {
  const symbols = [REPLACEMENT_CHARACTER, ...known];
  const codePoints = known.map((character) => character.codePointAt(0) as number);
  const tokenOfCodePoint = new Int32Array(codePoints.reduce((a, b) => Math.max(a, b), -1) + 1).fill(UNKNOWN);
  codePoints.forEach((codePoint, index) => {
    tokenOfCodePoint[codePoint] = index + 1;
  });
  return assemble({
    unit: "character",
    tokens: [UNKNOWN_NAME, ...known.map(printable)],
    unknown: UNKNOWN,
    encode: (text) => encodeCharacters(text, tokenOfCodePoint),
    decoder: () => symbolDecoder(symbols, (symbol) => symbol),
    toJSON: () => ({ unit: "character", symbols: known }),
  });
}

function wordVocabulary(known: readonly string[]): Vocabulary {
  const symbols = [UNKNOWN_NAME, ...known];
  const tokenOf = new Map(known.map((word, index) => [word, index + 1]));
  return assemble({
    unit: "word",
    tokens: [UNKNOWN_NAME, ...known.map(printable)],
    unknown: UNKNOWN,
    encode: (text) => Int32Array.from(Array.from(wordsOf(text), (word) => tokenOf.get(word) ?? UNKNOWN)),
    decoder: () => symbolDecoder(symbols, wordJoiner()),
    toJSON: () => ({ unit: "word", symbols: known }),
  });
}

/** How many word symbols there are at most, unless the options say otherwise. */
const DEFAULT_WORD_COUNT = 10_000;

/** The `count` most frequent symbols, ties in the order of code points. */
function mostFrequent(symbols: Iterable<string>, count: number): string[] {
  const counts = new Map<string, number>();
  for (const symbol of symbols) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  return [...counts]
    .sort(([a, countOfA], [b, countOfB]) => countOfB - countOfA || compareCodePoints(a, b))
    .slice(0, count)
    .map(([symbol]) => symbol);
}

const compareCharacters = (a: string, b: string): number => (a.codePointAt(0) as number) - (b.codePointAt(0) as number);

function requireUnit(unit: unknown): asserts unit is Unit {
  if (unit === "character" || unit === "byte" || unit === "word") return;
  throw new OptionError(`unit must be "character", "byte" or "word", but is ${JSON.stringify(unit)}`);
}

/**
 * Numbers the symbols of a text. The same text gives the same vocabulary.
 *
 * - `character`: token 0 is unknown (decoded as U+FFFD), then the text's code points in their order;
 * - `byte`: the 256 bytes, for any text;
 * - `word`: token 0 is unknown (`<unk>`), then the words, most frequent first, ties in the order of code points.
 *   Line breaks, punctuation marks and Chinese characters are words; other white space is dropped.
 *
 * @param text what to count; usually the training part only. The empty text gives just the unknown symbol
 * @param options `size`: at most so many tokens, the unknown one included, at least 2; the most frequent symbols stay.
 *   Default: 10,000 for words, all for characters. Not for bytes
 * @throws OptionError if the unit is unknown, or `size` is too small or without effect
 * @example buildVocabulary("hello", "character").encode("hell") // 3 2 4 4
 */
export function buildVocabulary(text: string, unit: Unit, options: { readonly size?: number } = {}): Vocabulary {
  requireUnit(unit);
  requireKnownKeys("buildVocabulary", options, ["size"]);
  const { size } = options;
  if (size !== undefined) {
    if (unit === "byte") throw new OptionError("buildVocabulary: there are always 256 bytes; leave out size");
    requireInteger("buildVocabulary", "size", size, 2);
  }
  if (unit === "byte") return byteVocabulary();
  if (unit === "word") return wordVocabulary(mostFrequent(wordsOf(text), (size ?? DEFAULT_WORD_COUNT) - 1));
  return characterVocabulary(mostFrequent(text, (size ?? Infinity) - 1).sort(compareCharacters));
}

/**
 * Builds a vocabulary again from what `toJSON` gave.
 * @throws DataError if `json` is not that
 */
export function vocabularyFromJSON(json: unknown): Vocabulary {
  const wrong = (reason: string) => new DataError(`vocabulary: ${reason}; it must be what toJSON gave`);
  if (typeof json !== "object" || json === null) throw wrong("it is not a JSON object");
  const { unit, symbols } = json as { readonly unit?: unknown; readonly symbols?: unknown };
  if (unit === "byte") return byteVocabulary();
  if (unit !== "character" && unit !== "word") throw wrong(`there is no unit ${JSON.stringify(unit)}`);
  if (!Array.isArray(symbols) || !symbols.every((symbol) => typeof symbol === "string" && symbol !== "")) {
    throw wrong("symbols must be a list of texts");
  }
  if (new Set(symbols).size !== symbols.length) throw wrong("a symbol appears twice");
  if (unit === "word") return wordVocabulary(symbols);
  if (!symbols.every((symbol: string) => symbol.length === ((symbol.codePointAt(0) as number) > 0xffff ? 2 : 1))) {
    throw wrong("each symbol must be one character");
  }
  return characterVocabulary(symbols);
}

/** How many of the tokens are unknown to the vocabulary that made them. */
export function countUnknown(vocabulary: Vocabulary, tokens: Int32Array): number {
  if (vocabulary.unknown === undefined) return 0;
  return tokens.reduce((count, token) => count + (token === vocabulary.unknown ? 1 : 0), 0);
}
