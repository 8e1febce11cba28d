/** What reads sequences for a classifier or a tagger: vectors of tokens or features, then recurrent layers. */

import { OptionError, requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import {
  bidirectional,
  cellByName,
  dropout,
  type EmbeddingParams,
  embedding,
  type RecurrentLayer,
  recurrent,
  stacked,
} from "../../nn/index.js";
import { foldIn, splitKey } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";

/** Architecture of a classifier or a tagger. */
export interface SequenceReaderOptions {
  /** Number of classes, at least 2. */
  readonly classes: number;
  /** Number of tokens, if sequences are of tokens. Give this or `inputSize`. */
  readonly vocabularySize?: number;
  /** Features of each step, if sequences are of features. Give this or `vocabularySize`. */
  readonly inputSize?: number;
  /** Name of the recurrent cell. @default "lstm" */
  readonly cell?: string;
  /** Units of each layer, in each direction. @default 64 */
  readonly hiddenSize?: number;
  /** Recurrent layers. @default 1 */
  readonly numLayers?: number;
  /** Reads from both ends. @default false */
  readonly bidirectional?: boolean;
  /** Length of the vector of each token. @default 64, or the hidden size if that is less */
  readonly embeddingSize?: number;
  /** Rate of dropout on all connections that are not recurrent, in [0, 1). @default 0 */
  readonly dropout?: number;
}

const READER_OPTIONS = [
  ...["classes", "vocabularySize", "inputSize", "cell", "hiddenSize", "numLayers", "bidirectional"],
  ...["embeddingSize", "dropout"],
] as const;

/** The table of token vectors, if there is one, and the layers. */
export type SequenceReaderParams = {
  readonly embedding?: EmbeddingParams;
  readonly layers: readonly TensorTree[];
};

/** Reads sequences into features. */
export interface SequenceReader {
  /** Features of what it gives. */
  readonly outputSize: number;
  /** Starting parameters. */
  init(key: Tensor): SequenceReaderParams;
  /**
   * @param inputs int32 `[time, batch]` or float32 `[time, batch, inputSize]`
   * @param mask int32 `[time, batch]`, 1 = real, 0 = padding
   * @param key for dropout; undefined switches it off
   * @param wanted features of all steps, `[time, batch, outputSize]`, or at the end of each sequence, `[batch, outputSize]`
   */
  read(
    params: SequenceReaderParams,
    inputs: Tensor,
    mask: Tensor,
    key: Tensor | undefined,
    wanted: "sequence" | "last",
  ): Tensor;
}

/** @param name of the task, for errors. @throws OptionError if an option is unknown or out of range */
export function sequenceReader(
  name: string,
  options: SequenceReaderOptions,
  others: readonly string[],
): SequenceReader {
  requireKnownKeys(name, options, [...READER_OPTIONS, ...others]);
  const { classes, vocabularySize, cell = "lstm", hiddenSize = 64, numLayers = 1, dropout: rate = 0 } = options;
  requireInteger(name, "classes", classes, 2);
  requireInteger(name, "hiddenSize", hiddenSize, 1);
  requireInteger(name, "numLayers", numLayers, 1);
  requireNumber(name, "dropout", rate, { from: 0, below: 1 });
  if ((vocabularySize === undefined) === (options.inputSize === undefined))
    throw new OptionError(`${name}: give either vocabularySize, for tokens, or inputSize, for features`);
  if (vocabularySize === undefined && options.embeddingSize !== undefined)
    throw new OptionError(`${name}: embeddingSize has no effect without vocabularySize`);
  const embeddingSize = options.embeddingSize ?? Math.min(64, hiddenSize);
  const table =
    vocabularySize === undefined ? undefined : embedding({ size: vocabularySize, outputSize: embeddingSize });
  const inputSize = table?.outputSize ?? (options.inputSize as number);
  requireInteger(name, "inputSize", inputSize, 1);

  const directions = options.bidirectional ? 2 : 1;
  const layerOf = (size: number): RecurrentLayer<TensorTree, TensorTree> => {
    const own = cellByName(cell, { inputSize: size, hiddenSize });
    return options.bidirectional
      ? (bidirectional(own) as unknown as RecurrentLayer<TensorTree, TensorTree>)
      : recurrent(own);
  };
  const layers = stacked(
    Array.from({ length: numLayers }, (_, index) => layerOf(index === 0 ? inputSize : directions * hiddenSize)),
    numLayers > 1 ? { dropout: rate } : {},
  );
  return {
    outputSize: layers.outputSize,
    init: (key) => {
      const [tableKey, layersKey] = splitKey(key);
      return { ...(table && { embedding: table.init(tableKey) }), layers: layers.init(layersKey) };
    },
    read: (params, inputs, mask, key, wanted) => {
      const vectors = table && params.embedding ? table.apply(params.embedding, inputs) : inputs;
      const dropped = (at: number, x: Tensor) => (key ? dropout(foldIn(key, at), x, rate) : x);
      const { outputs } = layers.apply(params.layers, dropped(0, vectors), {
        mask,
        return: wanted,
        ...(key && { key: foldIn(key, 2) }),
      });
      return dropped(1, outputs);
    },
  };
}
