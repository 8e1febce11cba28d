/** Writing with a language model: sampling one token after another. */

import { requireInteger, requireNumber } from "../../core/index.js";
import { foldIn, reshape, uniform } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { type Tensor, tensor, toNumber } from "../../tensor/index.js";
import type { LanguageModel, LanguageModelCarry, LanguageModelParams } from "./model.js";

/** How tokens are chosen. */
export interface SamplingOptions {
  /** Divides the logits: below 1 safer, above 1 wilder, 0 always the likeliest token. @default 1 */
  readonly temperature?: number;
  /** Choose among this many likeliest tokens only, at least 1. @default all */
  readonly topK?: number;
  /** Choose among the likeliest tokens that together have at least this probability, in (0, 1]. @default 1 */
  readonly topP?: number;
  /** Tokens that are never chosen, such as the unknown token. @default none */
  readonly exclude?: readonly number[];
}

/** @throws OptionError if an option is out of range */
export function requireSamplingOptions({ temperature = 1, topK = 1, topP = 1 }: SamplingOptions): void {
  requireNumber("sampling", "temperature", temperature, { from: 0 });
  requireInteger("sampling", "topK", topK, 1);
  requireNumber("sampling", "topP", topP, { above: 0, to: 1 });
}

/**
 * Chooses a token.
 *
 *   p_i ∝ exp(z_i / temperature) over the allowed tokens; the first token whose cumulated p exceeds `chance`
 *
 * @param logits one score a token
 * @param chance a number in [0, 1): the only randomness
 */
export function sampleToken(logits: ArrayLike<number>, options: SamplingOptions, chance: number): number {
  const { temperature = 1, topK = logits.length, topP = 1, exclude = [] } = options;
  const ranked = Array.from({ length: logits.length }, (_, token) => token)
    .filter((token) => !exclude.includes(token))
    .sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
  const best = ranked[0] as number;
  if (temperature === 0) return best;
  const weights = ranked
    .slice(0, topK)
    .map((token) => Math.exp(((logits[token] as number) - (logits[best] as number)) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // The nucleus: as few of the likeliest as reach topP.
  let nucleus = 0;
  let mass = 0;
  while (nucleus < weights.length && (nucleus === 0 || mass < topP * total)) mass += weights[nucleus++] as number;
  let left = chance * mass;
  for (let rank = 0; rank < nucleus; rank++) {
    left -= weights[rank] as number;
    if (left < 0) return ranked[rank] as number;
  }
  return ranked[nucleus - 1] as number;
}

/** A model that reads one token at a time and says how likely each next one is. */
export type TokenReader = (token: number) => ArrayLike<number>;

/** Starts reading: each call takes a token and returns the logits of the next, the carry is kept between calls. */
export function tokenReader(model: LanguageModel): (params: LanguageModelParams) => TokenReader {
  const step = compile((params: LanguageModelParams, carry: LanguageModelCarry, token: Tensor) => {
    const result = model.logits(params, token, { carry });
    return [reshape(result.logits, [model.options.vocabularySize]), result.carry] as const;
  });
  return (params) => {
    let carry = model.initialCarry(1);
    return (token) => {
      const [logits, next] = step(params, carry, tensor(Int32Array.of(token), { shape: [1, 1] }));
      carry = next;
      return logits.data;
    };
  };
}

/**
 * Writes token after token, without end.
 * @param read a fresh reader
 * @param prompt tokens that are read first, at least one; they are not repeated in the result
 * @param key decides all choices
 */
export function* generateTokens(
  read: TokenReader,
  prompt: ArrayLike<number>,
  key: Tensor,
  options: SamplingOptions = {},
): Generator<number, never> {
  requireSamplingOptions(options);
  let logits: ArrayLike<number> = [];
  for (let index = 0; index < prompt.length; index++) logits = read(prompt[index] as number);
  for (let index = 0; ; index++) {
    const token = sampleToken(logits, options, toNumber(uniform(foldIn(key, index), [], "float64")));
    yield token;
    logits = read(token);
  }
}
