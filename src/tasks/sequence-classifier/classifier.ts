/** One class for a whole sequence. */

import { OptionError } from "../../core/index.js";
import type { SequenceProblem } from "../../learn/index.js";
import { crossEntropy, type DenseParams, dense, meanOverTime } from "../../nn/index.js";
import { reshape, splitKey } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { type SequenceReaderOptions, type SequenceReaderParams, sequenceReader } from "./reader.js";

/** Architecture of a classifier. */
export interface SequenceClassifierOptions extends SequenceReaderOptions {
  /** What the class is read from: the output at the end of a sequence, or the mean of those of all its steps. @default "last" */
  readonly pooling?: "last" | "mean";
}

/** Parameters of what reads, and of the readout to logits. */
export type SequenceClassifierParams = { readonly reader: SequenceReaderParams; readonly readout: DenseParams };

/** Sequences with their classes. */
export type SequenceClassifierBatch = {
  /** Tokens, int32 `[time, batch]`, or features, float32 `[time, batch, inputSize]`. */
  readonly inputs: Tensor;
  /** int32 `[time, batch]`, 1 = real, 0 = padding. */
  readonly mask: Tensor;
  /** int32 `[1, batch]`: the class of each sequence. */
  readonly targets: Tensor;
};

/** A classifier and its loss. */
export interface SequenceClassifier {
  /** Starting parameters. */
  init(key: Tensor): SequenceClassifierParams;
  /** Scores of the classes, `[batch, classes]`. @param key switches dropout on */
  logits(
    params: SequenceClassifierParams,
    batch: Pick<SequenceClassifierBatch, "inputs" | "mask">,
    key?: Tensor,
  ): Tensor;
  /** Cross-entropy of the class, in nats. */
  readonly problem: SequenceProblem<SequenceClassifierParams, readonly [], SequenceClassifierBatch>;
}

/**
 * A recurrent classifier of sequences:
 *
 *   h = layers(x)      z = W h_T + b  ("last"),  or  W (1/T) Σ_t h_t + b  ("mean")      p(class) = softmax(z)
 *
 * In both directions, h_T joins what each of them gives when it has read the whole sequence.
 * @throws OptionError if an option is unknown or out of range
 * @example
 * const model = sequenceClassifier({ vocabularySize: 100, classes: 2, cell: "gru", bidirectional: true });
 * const { values: inputs, mask } = raggedBatch([[3, 1, 2], [5]]);
 * const logits = model.logits(model.init(randomKey(1)), { inputs, mask });   // [2, 2]
 */
export function sequenceClassifier(options: SequenceClassifierOptions): SequenceClassifier {
  const reader = sequenceReader("sequenceClassifier", options, ["pooling"]);
  const { pooling = "last", classes } = options;
  if (pooling !== "last" && pooling !== "mean")
    throw new OptionError(`sequenceClassifier: pooling must be "last" or "mean", but is "${pooling as string}"`);
  const readout = dense({ inputSize: reader.outputSize, outputSize: classes });

  const logits: SequenceClassifier["logits"] = (params, { inputs, mask }, key) => {
    const features =
      pooling === "last"
        ? reader.read(params.reader, inputs, mask, key, "last")
        : meanOverTime(reader.read(params.reader, inputs, mask, key, "sequence"), { mask });
    return readout.apply(params.readout, features);
  };
  return {
    init: (key) => {
      const [readerKey, readoutKey] = splitKey(key);
      return { reader: reader.init(readerKey), readout: readout.init(readoutKey) };
    },
    logits,
    problem: {
      initialCarry: () => [],
      loss: (params, carry, batch, key) => ({
        loss: crossEntropy(logits(params, batch, key), reshape(batch.targets, [batch.targets.shape[1] as number])),
        carry,
      }),
    },
  };
}
