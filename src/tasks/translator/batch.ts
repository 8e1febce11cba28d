/** Pairs of token sequences as a batch. */

import { DataError, requireNumber } from "../../core/index.js";
import { raggedBatch } from "../../data/index.js";
import { fill } from "../../ops/index.js";
import type { TranslationBatch } from "./model.js";

/** A source and its translation, both without the end token. */
export interface TranslationPair {
  readonly source: ArrayLike<number>;
  readonly target: ArrayLike<number>;
}

/**
 * A padded batch; `end` is put behind every target.
 * @param options.sourceLength steps of the sources. Batches of equal lengths share one compiled step. Default: the longest
 * @param options.targetLength steps of the targets, `end` included. Default: the longest
 * @param options.teacherForcing probability that the truth is fed back, in [0, 1]. Default: the truth always is
 * @throws DataError if there is no pair, or a target holds `end`
 * @throws OptionError if a sequence is longer than its length, or `teacherForcing` is no probability
 */
export function translationBatch(
  pairs: readonly TranslationPair[],
  options: {
    readonly end: number;
    readonly sourceLength?: number;
    readonly targetLength?: number;
    readonly teacherForcing?: number;
  },
): TranslationBatch {
  const { end, sourceLength, targetLength, teacherForcing } = options;
  if (teacherForcing !== undefined)
    requireNumber("translationBatch", "teacherForcing", teacherForcing, { from: 0, to: 1 });
  const early = pairs.findIndex(({ target }) => Array.from(target).includes(end));
  if (early >= 0)
    throw new DataError(`translationBatch: target ${early} holds the end token ${end}; it is put behind it here`);
  const sources = raggedBatch(
    pairs.map(({ source }) => source),
    sourceLength === undefined ? {} : { length: sourceLength },
  );
  const targets = raggedBatch(
    pairs.map(({ target }) => [...Array.from(target), end]),
    targetLength === undefined ? {} : { length: targetLength },
  );
  return {
    source: sources.values,
    sourceMask: sources.mask,
    targets: targets.values,
    targetMask: targets.mask,
    ...(teacherForcing !== undefined && { teacherForcing: fill([1, pairs.length], teacherForcing) }),
  };
}
