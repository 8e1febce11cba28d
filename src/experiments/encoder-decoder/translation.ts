/** Experiments in which one short text becomes another, character by character. */

import { adam, clipByNorm } from "../../learn/index.js";
import { averageLoss, emitArgmax } from "../../nn/index.js";
import { randomKey, splitKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { type TranslationBatch, type TranslatorParams, translationBatch, translator } from "../../tasks/index.js";
import { type Tensor, toNested } from "../../tensor/index.js";
import type { TextPair } from "../data/text-pairs.js";
import type { Experiment } from "../experiment.js";
import { learn } from "../learn.js";

/** What becomes what, and how long it is learnt. */
export interface TranslationOptions extends Pick<Experiment, "id" | "title" | "source" | "notes"> {
  /** All characters of sources, and of targets. */
  readonly characters: { readonly source: string; readonly target: string };
  /** Most characters of a source, and of a target. */
  readonly longest: { readonly source: number; readonly target: number };
  /** Random pairs; those for testing are not among those for learning. */
  readonly pairs: (key: Tensor, count: number, test: boolean) => TextPair[];
  /** How the decoder looks at the source; "none": it knows only the encoder's last state. */
  readonly attention: "none" | "additive";
  /** At most; learning ends when the aim is reached. */
  readonly updates: number;
}

const [BATCH, TESTED] = [32, 500] as const;
/** Part of texts that must come out right; and learning ends when this part does, of texts it is not tested on. */
const [SOLVED, SURELY_SOLVED] = [0.99, 0.996] as const;
/** Target token of the end; the tokens of characters follow it. */
const END = 0;

/** An experiment that succeeds if 99 % of new texts come out right in every character. */
export function translationExperiment(options: TranslationOptions): Experiment {
  const { characters, longest, pairs, attention, updates, ...description } = options;
  const tokensOf = ({ source, target }: TextPair) => ({
    source: Array.from(source, (character) => characters.source.indexOf(character)),
    target: Array.from(target, (character) => characters.target.indexOf(character) + 1),
  });
  const batchOf = (list: readonly TextPair[]) =>
    translationBatch(list.map(tokensOf), {
      end: END,
      sourceLength: longest.source,
      targetLength: longest.target + 1,
    });
  return {
    ...description,
    figures: {
      exact: { name: "part of new texts that come out exactly right", aim: { from: SOLVED } },
      updates: { name: "updates made" },
    },
    error: "cross-entropy of a character, in nats",
    cells: ["gru", "lstm"],
    async *run({ seed, cell, effort }) {
      const [netKey, dataKey, validationKey, testKey] = splitKey(randomKey(seed), 4);
      const model = translator({
        sourceVocabularySize: characters.source.length,
        targetVocabularySize: characters.target.length + 1,
        cell,
        attention,
        hiddenSize: 128,
      });
      const write = compile(
        (params: TranslatorParams, source: Tensor, mask: Tensor) =>
          model.decoder.decode(params.model, model.encode(params, source, mask), {
            length: longest.target + 1,
            emit: emitArgmax,
          }).emitted as Tensor,
      );
      const exactMatch = (key: Tensor) => {
        const asked = pairs(key, TESTED, true);
        const { source, sourceMask } = batchOf(asked);
        return (params: TranslatorParams): number => {
          const written = textsOf(write(params, source, sourceMask), characters.target);
          return asked.filter(({ target }, k) => written[k] === target).length / TESTED;
        };
      };
      const validate = exactMatch(validationKey);
      const learnt = yield* learn({
        params: model.init(netKey),
        loss: (params, batch: TranslationBatch) => averageLoss(model.problem.loss(params, [], batch).loss),
        batch: (key) => batchOf(pairs(key, BATCH, false)),
        key: dataKey,
        updates: effort * updates,
        optimizer: adam({ learningRate: 0.002 }),
        transforms: [clipByNorm(1)],
        solved: (params) => validate(params) >= SURELY_SOLVED,
      });
      return { exact: exactMatch(testKey)(learnt.params), updates: learnt.updates };
    },
  };
}

/** What was written before the end token, for each sequence. @param tokens int32 `[time, batch]` */
function textsOf(tokens: Tensor, characters: string): string[] {
  const steps = toNested(tokens) as number[][];
  return (steps[0] as number[]).map((_, row) => {
    const written = steps.map((step) => step[row] as number);
    const end = written.indexOf(END);
    return written
      .slice(0, end < 0 ? undefined : end)
      .map((token) => characters[token - 1])
      .join("");
  });
}
