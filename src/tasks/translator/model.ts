/** From sequences of tokens to sequences of other tokens. */

import { OptionError, requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import type { SequenceProblem } from "../../learn/index.js";
import {
  type Attention,
  additiveAttention,
  bidirectional,
  type Cell,
  cellByName,
  crossEntropy,
  dotAttention,
  dropout,
  type EmbeddingParams,
  type Encoded,
  type EncoderDecoder,
  type EncoderDecoderParams,
  embedding,
  emitArgmax,
  encoderDecoder,
  generalAttention,
  type RecurrentLayer,
  recurrent,
  stacked,
  stackedCells,
} from "../../nn/index.js";
import { at, splitKey } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";

/** Architecture of a translator. */
export interface TranslatorOptions {
  readonly sourceVocabularySize: number;
  readonly targetVocabularySize: number;
  /** Target token that ends every target. @default 0 */
  readonly end?: number;
  /** Name of the recurrent cell of encoder and decoder. @default "gru" */
  readonly cell?: string;
  /** Units of the decoder, and of each direction of the encoder. @default 64 */
  readonly hiddenSize?: number;
  /** Recurrent layers of the encoder, and of the decoder. @default 1 */
  readonly numLayers?: number;
  /** Rate of dropout of the source vectors, and between layers, in [0, 1); acts only with a key. @default 0 */
  readonly dropout?: number;
  /** Length of the vector of each token. @default 32, or the hidden size if that is less */
  readonly embeddingSize?: number;
  /** How the decoder looks at the source; "none": it knows only the encoder's last state. @default "additive" */
  readonly attention?: "additive" | "general" | "dot" | "none";
  /** Reads sources from both ends. With "dot" it must be false: query and memory have one size there. @default true, but for "dot" */
  readonly bidirectional?: boolean;
}

const OPTION_NAMES = [
  ...[
    "sourceVocabularySize",
    "targetVocabularySize",
    "end",
    "cell",
    "hiddenSize",
    "numLayers",
    "dropout",
    "embeddingSize",
  ],
  ...["attention", "bidirectional"],
] as const;

/** Vectors of source tokens, and the encoder-decoder; target tokens have vectors in its decoder. */
export type TranslatorParams = {
  readonly source: EmbeddingParams;
  readonly model: EncoderDecoderParams<readonly TensorTree[]>;
};

/** Sources with their translations; `translationBatch` makes one. */
export type TranslationBatch = {
  /** int32 `[source time, batch]` */
  readonly source: Tensor;
  /** int32 `[source time, batch]`, 1 = real, 0 = padding. */
  readonly sourceMask: Tensor;
  /** int32 `[target time, batch]`, each target with `end` behind it. */
  readonly targets: Tensor;
  /** int32 `[target time, batch]`, 1 = real, 0 = padding. */
  readonly targetMask: Tensor;
  /** float32 `[1, batch]`, its first number counts: the probability that the truth is fed back. Default: always */
  readonly teacherForcing?: Tensor;
};

/** A translator and its loss. */
export interface Translator {
  readonly options: Required<TranslatorOptions>;
  /** Starting parameters. */
  init(key: Tensor): TranslatorParams;
  /** Reads sources, int32 `[time, batch]`. */
  encode(params: TranslatorParams, source: Tensor, mask: Tensor, key?: Tensor): Encoded;
  /** What writes. */
  readonly decoder: Pick<EncoderDecoder<readonly TensorTree[]>, "decode" | "step">;
  /** Cross-entropy of the target tokens, `end` included, in nats. Without a key the truth is always fed back. */
  readonly problem: SequenceProblem<TranslatorParams, readonly [], TranslationBatch>;
}

/**
 * An encoder-decoder of tokens, by default with attention:
 *
 *   log p(y | x) = Σ_t log p(y_t | y_1 ... y_{t-1}, x),   up to the token `end`
 *
 * @throws OptionError if an option is unknown or out of range
 * @see Bahdanau, Cho & Bengio 2015, arXiv:1409.0473; without attention: Sutskever, Vinyals & Le 2014, arXiv:1409.3215
 * @example const model = translator({ sourceVocabularySize: 100, targetVocabularySize: 120 });
 */
export function translator(options: TranslatorOptions): Translator {
  requireKnownKeys("translator", options, OPTION_NAMES);
  const { sourceVocabularySize, targetVocabularySize, end = 0, cell = "gru", hiddenSize = 64 } = options;
  const { embeddingSize = Math.min(32, hiddenSize), attention = "additive" } = options;
  const { bidirectional: bothWays = attention !== "dot", numLayers = 1, dropout: rate = 0 } = options;
  for (const [name, value] of Object.entries({
    sourceVocabularySize,
    targetVocabularySize,
    hiddenSize,
    embeddingSize,
    numLayers,
  }))
    requireInteger("translator", name, value, 1);
  requireNumber("translator", "dropout", rate, { from: 0, below: 1 });
  requireInteger("translator", "end", end, 0);
  if (end >= targetVocabularySize)
    throw new OptionError(`translator: end must be a target token, below ${targetVocabularySize}, but is ${end}`);

  const table = embedding({ size: sourceVocabularySize, outputSize: embeddingSize });
  const readSize = bothWays ? 2 * hiddenSize : hiddenSize;
  const between = numLayers > 1 ? { dropout: rate } : {};
  const encoder = Array.from({ length: numLayers }, (_, index) => {
    const reader = cellByName(cell, { inputSize: index === 0 ? embeddingSize : readSize, hiddenSize });
    return (bothWays ? bidirectional(reader) : recurrent(reader)) as RecurrentLayer<TensorTree, TensorTree>;
  });
  const decoderCell = (inputSize: number): Cell<TensorTree, TensorTree> =>
    stackedCells(
      Array.from({ length: numLayers }, (_, index) =>
        cellByName(cell, { inputSize: index === 0 ? inputSize : hiddenSize, hiddenSize }),
      ),
      between,
    ) as unknown as Cell<TensorTree, TensorTree>;
  const attending = attentionByName(attention, hiddenSize, readSize);
  const model = encoderDecoder({
    encoder: stacked(encoder, between),
    decoder: decoderCell,
    outputSize: targetVocabularySize,
    embedding: embedding({ size: targetVocabularySize, outputSize: embeddingSize }),
    emit: emitArgmax,
    ...(attending && { attention: attending }),
  });
  const encode: Translator["encode"] = (params, source, mask, key) => {
    const vectors = table.apply(params.source, source);
    const [vectorsKey, layersKey] = key ? splitKey(key) : [];
    return model.encode(params.model, vectorsKey ? dropout(vectorsKey, vectors, rate) : vectors, {
      mask,
      ...(layersKey && { key: layersKey }),
    });
  };
  return {
    options: {
      ...{ sourceVocabularySize, targetVocabularySize, end, cell, hiddenSize, numLayers, dropout: rate },
      ...{ embeddingSize, attention },
      bidirectional: bothWays,
    },
    init: (key) => {
      const [sourceKey, modelKey] = splitKey(key);
      return { source: table.init(sourceKey), model: model.init(modelKey) };
    },
    encode,
    decoder: model,
    problem: {
      initialCarry: () => [],
      loss: (params, carry, { source, sourceMask, targets, targetMask, teacherForcing }, key) => {
        const [encoderKey, decoderKey] = key ? splitKey(key) : [];
        const { outputs } = model.decode(params.model, encode(params, source, sourceMask, encoderKey), {
          targets,
          mask: targetMask,
          ...(decoderKey && { key: decoderKey }),
          ...(decoderKey && teacherForcing && { teacherForcing: at(at(teacherForcing, 0), 0) }),
        });
        return { loss: crossEntropy(outputs, targets, targetMask), carry };
      },
    },
  };
}

function attentionByName(
  name: "additive" | "general" | "dot" | "none",
  querySize: number,
  memorySize: number,
): Attention<TensorTree> | undefined {
  switch (name) {
    case "none":
      return undefined;
    case "additive":
      return additiveAttention({ querySize, memorySize });
    case "general":
      return generalAttention({ querySize, memorySize });
    case "dot":
      if (querySize === memorySize) return dotAttention({ size: querySize });
      throw new OptionError('translator: attention "dot" needs bidirectional: false; "general" takes both directions');
    default:
      throw new OptionError(
        `translator: attention must be "additive", "general", "dot" or "none", but is "${name as string}"`,
      );
  }
}
