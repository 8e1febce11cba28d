/** What a network can remember whose only recurrence is from its output. */

import { adam } from "../learn/index.js";
import { averageLoss, crossEntropy, dense, elman, emitArgmax, feedback, recurrent } from "../nn/index.js";
import { add, argmax, at, cast, equal, mean, randomKey, splitKey } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { type Tensor, toNumber } from "../tensor/index.js";
import { firstSymbol, INPUT_SYMBOLS, OUTPUT_CLASSES } from "./data/first-symbol.js";
import type { Experiment } from "./experiment.js";
import { learn } from "./learn.js";
import { memoryless } from "./memoryless.js";
import { network } from "./network.js";

const [LENGTH, HIDDEN, BATCH, UPDATES, TESTED] = [10, 16, 32, 500, 1000] as const;

/** h_t = f(W o_{t-1} + U x_t + b), taught with the true o_{t-1}, then run with its own likeliest one. */
const byOutput = feedback({
  cell: memoryless({ inputSize: INPUT_SYMBOLS + OUTPUT_CLASSES, hiddenSize: HIDDEN }),
  readout: dense({ inputSize: HIDDEN, outputSize: OUTPUT_CLASSES }),
  emit: emitArgmax,
});
/** h_t = f(W h_{t-1} + U x_t + b) */
const byHidden = network(recurrent(elman({ inputSize: INPUT_SYMBOLS, hiddenSize: HIDDEN })), OUTPUT_CLASSES);

/** The first symbol is asked for at the end. With output recurrence, it can be told only if the outputs in between carry it. */
export const outputRecurrence: Experiment = {
  id: "output-recurrence",
  title: "Remembering the first symbol by outputs or by hidden units",
  source: {
    authors: "Goodfellow, Bengio & Courville",
    year: 2016,
    title: "Deep learning",
    where: "section 10.2.1, figure 10.4",
    link: "https://www.deeplearningbook.org",
  },
  notes:
    "The book states that recurrence from the output alone is strictly less powerful; the task is ours. Of two symbols one is shown first, " +
    "and asked for after 10 steps, so that .5 is chance. Learnt with teacher forcing, tested with the network's own outputs.",
  figures: {
    silent: { name: "accuracy by outputs that are silent in between", derived: 0.5, aim: { from: 0.4, to: 0.6 } },
    repeated: { name: "accuracy by outputs that repeat the symbol", derived: 1, aim: { from: 1 } },
    hidden: { name: "accuracy by hidden units, outputs silent", derived: 1, aim: { from: 1 } },
  },
  error: "cross-entropy of the three networks, in nats",
  cells: ["elman"],
  async *run({ seed, effort }) {
    const [silentKey, repeatedKey, hiddenKey, dataKey, testKey] = splitKey(randomKey(seed), 5);
    const draw = (key: Tensor, batchSize: number) => ({
      silent: firstSymbol(key, LENGTH, batchSize, false),
      repeated: firstSymbol(key, LENGTH, batchSize, true),
    });
    // The three share nothing, so that learning all at once is learning each by itself.
    const { params } = yield* learn({
      params: {
        silent: byOutput.init(silentKey),
        repeated: byOutput.init(repeatedKey),
        hidden: byHidden.init(hiddenKey),
      },
      loss: (learnt, { silent, repeated }: ReturnType<typeof draw>) =>
        [
          crossEntropy(byOutput.apply(learnt.silent, silent.xs, { targets: silent.targets }).outputs, silent.targets),
          crossEntropy(
            byOutput.apply(learnt.repeated, repeated.xs, { targets: repeated.targets }).outputs,
            repeated.targets,
          ),
          crossEntropy(byHidden.outputs(learnt.hidden, silent.xs), silent.targets),
        ]
          .map(averageLoss)
          .reduce((total, loss) => add(total, loss)),
      batch: compile((key: Tensor) => draw(key, BATCH)),
      key: dataKey,
      updates: effort * UPDATES,
      optimizer: adam({ learningRate: 0.01 }),
    });
    const { silent, repeated } = draw(testKey, TESTED);
    return {
      silent: accuracy(byOutput.apply(params.silent, silent.xs).outputs, silent.targets),
      repeated: accuracy(byOutput.apply(params.repeated, repeated.xs).outputs, repeated.targets),
      hidden: accuracy(byHidden.outputs(params.hidden, silent.xs), silent.targets),
    };
  },
};

/** Part of right answers at the last step. */
const accuracy = (scores: Tensor, targets: Tensor): number =>
  toNumber(mean(cast(equal(at(argmax(scores), LENGTH - 1), at(targets, LENGTH - 1)), "float32")));
