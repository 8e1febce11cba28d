/** How well a language model predicts a text. */

import { DataError } from "../../core/index.js";
import { evaluationWindows, type TokenWindow } from "../../data/index.js";
import { crossEntropy } from "../../nn/index.js";
import { argmax, equal, logicalAnd, sum } from "../../ops/index.js";
import { type CompiledFunction, compile } from "../../runtime/index.js";
import { type Tensor, toNumber } from "../../tensor/index.js";
import type { LanguageModel, LanguageModelCarry, LanguageModelParams } from "./model.js";

/** Prediction of a text. */
export interface Evaluation {
  /** Nats per token: the mean of -log p(token). */
  readonly loss: number;
  /** Part of the tokens that the model held for the likeliest, in [0, 1]. */
  readonly accuracy: number;
  /** Tokens that were predicted: all but the first. */
  readonly tokens: number;
}

/** Measures one model on one text, any number of times. */
export type Evaluator = (params: LanguageModelParams) => Evaluation;

type EvaluationStep = CompiledFunction<
  [LanguageModelParams, LanguageModelCarry, TokenWindow],
  readonly [total: Tensor, correct: Tensor, count: Tensor, carry: LanguageModelCarry]
>;

/**
 * Prepares the evaluation of a text: every token after the first is predicted from those before it (within its stream: the text is
 * cut into `batchSize` streams), the carry is handed on from window to window.
 * @param options.maxTokens measure only the first windows, until so many tokens are predicted. Default: all
 * @throws DataError if the text has fewer than two tokens
 */
export function textEvaluator(
  model: LanguageModel,
  tokens: Int32Array,
  options: { readonly batchSize: number; readonly windowLength: number; readonly maxTokens?: number },
): Evaluator {
  if (tokens.length < 2)
    throw new DataError(
      `the text, ${tokens.length} of the tokens that a model reads, has nothing to predict; at least 2 are needed`,
    );
  const { batchSize, windowLength, maxTokens = Number.POSITIVE_INFINITY } = options;
  const step: EvaluationStep = compile((params, carry, window) => {
    const { inputs, targets, mask, resetMask } = window;
    const { logits, carry: next } = model.logits(params, inputs, { carry, mask, resetMask });
    const { total, count } = crossEntropy(logits, targets, mask);
    return [total, sum(logicalAnd(equal(argmax(logits), targets), mask)), count, next] as const;
  });
  const windows = evaluationWindows(tokens, { batchSize: Math.min(batchSize, tokens.length - 1), windowLength });
  return (params) => {
    let carry: LanguageModelCarry | undefined;
    let total = 0;
    let correct = 0;
    let count = 0;
    for (let position = 0; position < windows.windowsPerEpoch && count < maxTokens; position++) {
      const window = windows.window(position);
      carry ??= model.initialCarry(window.inputs.shape[1] as number);
      const [windowTotal, windowCorrect, windowCount, next] = step(params, carry, window);
      total += toNumber(windowTotal);
      correct += toNumber(windowCorrect);
      count += toNumber(windowCount);
      carry = next;
    }
    return { loss: total / count, accuracy: correct / count, tokens: count };
  };
}

/** Bits for each token. @param loss nats for each token */
export const bitsPerToken = (loss: number): number => loss / Math.LN2;

/** The number of equally likely tokens that would be as hard to predict. @param loss nats for each token */
export const perplexity = (loss: number): number => Math.exp(loss);
