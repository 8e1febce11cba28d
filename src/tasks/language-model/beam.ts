/** Writing with a language model: the likeliest text, rather than a drawn one. */

import { requireInteger } from "../../core/index.js";
import { logSoftmax } from "../../nn/index.js";
import { reshape } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { type Tensor, tensor } from "../../tensor/index.js";
import { beamSearch, type Hypothesis } from "../beam-search.js";
import type { LanguageModel, LanguageModelCarry, LanguageModelParams } from "./model.js";

/** How the likeliest text is searched. */
export interface BeamTextOptions {
  /** Texts that are kept after each token, at least 1. */
  readonly width: number;
  /** Tokens to write. */
  readonly length: number;
  /** Tokens that are never chosen, such as the unknown token. @default none */
  readonly exclude?: readonly number[];
}

/**
 * The likeliest texts of some length after a prompt, as far as beam search finds them, best first.
 * @param prompt tokens that are read first, at least one; they are not repeated in the result
 */
export function likeliestTexts(
  model: LanguageModel,
  params: LanguageModelParams,
  prompt: Int32Array,
  { width, length, exclude = [] }: BeamTextOptions,
): Hypothesis[] {
  requireInteger("likeliestTexts", "the length of the prompt", prompt.length, 1);
  const search = beamSearch<LanguageModelParams, LanguageModelCarry>({
    step: (at, before, tokens) => {
      const { logits, carry } = model.logits(at, reshape(tokens, [1, width]), { carry: before });
      return { logProbabilities: logSoftmax(reshape(logits, [width, model.options.vocabularySize])), carry };
    },
    width,
    maxLength: length,
    exclude,
  });
  const read = compile((at: LanguageModelParams, tokens: Tensor) => model.logits(at, tokens).carry);
  const before = tensor(prompt.slice(0, -1), { shape: [prompt.length - 1, 1] });
  return search(params, read(params, before), prompt.at(-1) as number);
}
