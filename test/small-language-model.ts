/** Training a language model in a test: a few lines, a few seconds. */

import { buildVocabulary, textStream, type Unit, type Vocabulary } from "../src/data/index.js";
import { adam, clipByNorm, truncatedBptt } from "../src/learn/index.js";
import { foldIn, randomKey } from "../src/ops/index.js";
import {
  type LanguageModel,
  type LanguageModelOptions,
  type LanguageModelParams,
  languageModel,
} from "../src/tasks/index.js";
import { initialState, train } from "../src/train/index.js";

/** How a text is learnt. */
export interface LearningOptions {
  readonly unit?: Unit;
  readonly steps: number;
  readonly learningRate?: number;
  readonly batchSize?: number;
  readonly windowLength: number;
  readonly model?: Partial<LanguageModelOptions>;
}

/** A model that has learnt a text. */
export interface Learnt {
  readonly vocabulary: Vocabulary;
  readonly tokens: Int32Array;
  readonly model: LanguageModel;
  readonly params: LanguageModelParams;
  readonly losses: readonly number[];
}

/** Learns a text with Adam and truncated backpropagation through time. */
export async function learnText(text: string, options: LearningOptions): Promise<Learnt> {
  const { unit = "character", steps, learningRate = 0.01, batchSize = 1, windowLength } = options;
  const vocabulary = buildVocabulary(text, unit);
  const tokens = vocabulary.encode(text);
  const model = languageModel({ vocabularySize: vocabulary.size, hiddenSize: 16, ...options.model });
  const stream = textStream(tokens, { batchSize, windowLength });
  const run = {
    problem: model.problem,
    optimizer: adam({ learningRate }),
    method: truncatedBptt(),
    batch: (update: number) => stream.window(update),
    transforms: [clipByNorm(1)],
  };
  const key = randomKey(1);
  const losses: number[] = [];
  let state = initialState({ ...run, params: model.init(foldIn(key, 0)), key: foldIn(key, 1) });
  for await (const report of train({ ...run, state, steps })) {
    losses.push(report.loss);
    state = report.state;
  }
  return { vocabulary, tokens, model, params: state.params, losses };
}
