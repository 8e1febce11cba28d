/** A class for each step of a sequence. */

import type { SequenceProblem } from "../../learn/index.js";
import { crossEntropy, dense } from "../../nn/index.js";
import { splitKey } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { SequenceClassifierParams } from "./classifier.js";
import { type SequenceReaderOptions, sequenceReader } from "./reader.js";

/** Sequences with a class for each step. */
export type SequenceTaggerBatch = {
  /** Tokens, int32 `[time, batch]`, or features, float32 `[time, batch, inputSize]`. */
  readonly inputs: Tensor;
  /** int32 `[time, batch]`, 1 = real, 0 = padding. */
  readonly mask: Tensor;
  /** int32 `[time, batch]`: the class of each step; anything in the padding. */
  readonly targets: Tensor;
};

/** A tagger and its loss. */
export interface SequenceTagger {
  /** Starting parameters. */
  init(key: Tensor): SequenceClassifierParams;
  /** Scores of the classes at each step, `[time, batch, classes]`. @param key switches dropout on */
  logits(params: SequenceClassifierParams, batch: Pick<SequenceTaggerBatch, "inputs" | "mask">, key?: Tensor): Tensor;
  /** Cross-entropy of the class of each real step, in nats. */
  readonly problem: SequenceProblem<SequenceClassifierParams, readonly [], SequenceTaggerBatch>;
}

/**
 * A recurrent tagger of sequences:  h = layers(x)      p(class_t) = softmax(W h_t + b)
 *
 * Input and output are synchronous; in both directions each class depends on the whole sequence.
 * @throws OptionError if an option is unknown or out of range
 * @example const model = sequenceTagger({ vocabularySize: 100, classes: 5, bidirectional: true });
 */
export function sequenceTagger(options: SequenceReaderOptions): SequenceTagger {
  const reader = sequenceReader("sequenceTagger", options, []);
  const readout = dense({ inputSize: reader.outputSize, outputSize: options.classes });
  const logits: SequenceTagger["logits"] = (params, { inputs, mask }, key) =>
    readout.apply(params.readout, reader.read(params.reader, inputs, mask, key, "sequence"));
  return {
    init: (key) => {
      const [readerKey, readoutKey] = splitKey(key);
      return { reader: reader.init(readerKey), readout: readout.init(readoutKey) };
    },
    logits,
    problem: {
      initialCarry: () => [],
      loss: (params, carry, batch, key) => ({
        loss: crossEntropy(logits(params, batch, key), batch.targets, batch.mask),
        carry,
      }),
    },
  };
}
