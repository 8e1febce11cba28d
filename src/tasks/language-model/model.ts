/** The language model: which token comes next. */

import { requireInteger, requireKnownKeys, requireNumber } from "../../core/index.js";
import type { TokenWindow } from "../../data/index.js";
import type { SequenceProblem } from "../../learn/index.js";
import {
  cellByName,
  crossEntropy,
  type DenseParams,
  dense,
  dropout,
  type EmbeddingParams,
  embedding,
  type RecurrentOptions,
  recurrent,
  stacked,
} from "../../nn/index.js";
import { foldIn, splitKey } from "../../ops/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";

/** Architecture of a language model. */
export interface LanguageModelOptions {
  /** Number of tokens. */
  readonly vocabularySize: number;
  /** Name of the recurrent cell. @default "lstm" */
  readonly cell?: string;
  /** Units of each layer. @default 128 */
  readonly hiddenSize?: number;
  /** Recurrent layers. @default 1 */
  readonly numLayers?: number;
  /** Length of the vector of each token. @default 64, or the hidden size if that is less */
  readonly embeddingSize?: number;
  /** Rate of dropout on all connections that are not recurrent, in [0, 1). @default 0 */
  readonly dropout?: number;
}

const OPTION_NAMES = ["vocabularySize", "cell", "hiddenSize", "numLayers", "embeddingSize", "dropout"] as const;

/** Embedding table, recurrent layers, and the readout to logits. */
export type LanguageModelParams = {
  readonly embedding: EmbeddingParams;
  readonly layers: readonly TensorTree[];
  readonly readout: DenseParams;
};

/** The carry of each layer. */
export type LanguageModelCarry = readonly TensorTree[];

/** A model and its loss. */
export interface LanguageModel {
  readonly options: Required<LanguageModelOptions>;
  /** Starting parameters. */
  init(key: Tensor): LanguageModelParams;
  /** The carry before the first token. */
  initialCarry(batchSize: number): LanguageModelCarry;
  /** Scores of the next token: int32 `[time, batch]` to `[time, batch, vocabularySize]`. */
  logits(
    params: LanguageModelParams,
    tokens: Tensor,
    options?: RecurrentOptions<LanguageModelCarry>,
  ): { readonly logits: Tensor; readonly carry: LanguageModelCarry };
  /** Cross-entropy of the next token, in nats. */
  readonly problem: SequenceProblem<LanguageModelParams, LanguageModelCarry, TokenWindow>;
}

/**
 * A recurrent language model: embedding, stacked cells, and a linear readout.
 *
 *   x_t = E[token_t]      h_t = cells(h_{t-1}, x_t)      p(token_{t+1}) = softmax(W h_t + b)
 *
 * @throws OptionError if an option is out of range or the cell unknown
 * @see Mikolov et al. 2010; Graves 2013, arXiv:1308.0850; dropout: Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329
 */
export function languageModel(options: LanguageModelOptions): LanguageModel {
  requireKnownKeys("language model", options, OPTION_NAMES);
  const { vocabularySize, cell = "lstm", hiddenSize = 128, numLayers = 1, dropout: rate = 0 } = options;
  const embeddingSize = options.embeddingSize ?? Math.min(64, hiddenSize);
  requireInteger("language model", "vocabularySize", vocabularySize, 1);
  requireInteger("language model", "hiddenSize", hiddenSize, 1);
  requireInteger("language model", "numLayers", numLayers, 1);
  requireInteger("language model", "embeddingSize", embeddingSize, 1);
  requireNumber("language model", "dropout", rate, { from: 0, below: 1 });

  const table = embedding({ size: vocabularySize, outputSize: embeddingSize });
  const cells = Array.from({ length: numLayers }, (_, index) =>
    recurrent(cellByName(cell, { inputSize: index === 0 ? embeddingSize : hiddenSize, hiddenSize })),
  );
  const layers = stacked(cells, numLayers > 1 ? { dropout: rate } : {});
  const readout = dense({ inputSize: hiddenSize, outputSize: vocabularySize });

  const logits: LanguageModel["logits"] = (params, tokens, run = {}) => {
    const { key } = run;
    const [inputKey, outputKey] = key ? [foldIn(key, 0), foldIn(key, 1)] : [];
    const vectors = table.apply(params.embedding, tokens);
    const { outputs, carry } = layers.apply(
      params.layers,
      inputKey ? dropout(inputKey, vectors, rate) : vectors,
      key ? { ...run, key: foldIn(key, 2) } : run,
    );
    return { logits: readout.apply(params.readout, outputKey ? dropout(outputKey, outputs, rate) : outputs), carry };
  };

  const initialCarry = (batchSize: number): LanguageModelCarry => layers.initialCarry(batchSize);
  return {
    options: { vocabularySize, cell, hiddenSize, numLayers, embeddingSize, dropout: rate },
    init: (key) => {
      const [embeddingKey, layersKey, readoutKey] = splitKey(key, 3);
      return {
        embedding: table.init(embeddingKey),
        layers: layers.init(layersKey),
        readout: readout.init(readoutKey),
      };
    },
    initialCarry,
    logits,
    problem: {
      initialCarry: ({ inputs }) => initialCarry(inputs.shape[1] as number),
      loss: (params, carry, { inputs, targets, mask, resetMask }, key) => {
        const result = logits(params, inputs, { carry, mask, resetMask, ...(key && { key }) });
        return { loss: crossEntropy(result.logits, targets, mask), carry: result.carry };
      },
    },
  };
}
