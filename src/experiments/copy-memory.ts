/** The copying problem over several lengths. */

import { adam, clipByNorm } from "../learn/index.js";
import { averageLoss, cellByName, recurrent } from "../nn/index.js";
import { argmax, cast, equal, mean, randomKey, slice, splitKey } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { type Tensor, type TensorTree, toNumber } from "../tensor/index.js";
import { COPIED, COPY_CLASSES, COPY_INPUTS, COPY_SYMBOLS, copyMemory } from "./data/copy-memory.js";
import type { LabelledSequences } from "./data/labelled-sequences.js";
import type { Experiment } from "./experiment.js";
import { type Labeller, labeller } from "./labeller.js";
import { learnProblem } from "./learn.js";
import type { NetworkParams } from "./network.js";

const [HIDDEN, BATCH, TESTED] = [128, 20, 1000] as const;
/** Part of the baseline below which the problem counts as solved. */
const SOLVED = 0.1;
/** Learning ends when it is below this, on sequences that it is not tested on. */
const SURELY_SOLVED = 0.8 * SOLVED;

/** Ten symbols, to be repeated after `blanks` blanks. */
function copyMemoryExperiment(blanks: number, updates: number): Experiment {
  // What it costs to know when to repeat, but not what: the best without memory.
  const baseline = (COPIED * Math.log(COPY_SYMBOLS)) / (blanks + 2 * COPIED);
  return {
    id: `copy-memory/${blanks}`,
    title: `Repeating ten symbols after ${blanks} blanks`,
    source: {
      authors: "Arjovsky, Shah & Bengio",
      year: 2016,
      title: "Unitary evolution recurrent neural networks",
      where: "section 5.1, copying memory problem",
      link: "arXiv:1511.06464",
    },
    notes:
      "The first cell is an LRU, a diagonal relative of the paper's unitary network, with 128 units; Adam with learning rate .003 " +
      `and gradients clipped to norm 1, batches of 20. Without memory, the best is a cross-entropy of 10 ln 8 / ${blanks + 2 * COPIED} = ${baseline.toFixed(3)}. ` +
      "The paper shows learning curves of longer rows, without numbers. Learning ends when validation shows the aim to be reached.",
    figures: {
      loss: { name: "cross-entropy a step, in nats", derived: baseline, aim: { below: SOLVED * baseline } },
      right: { name: "symbols that are repeated right", derived: 1 },
      updates: { name: "updates made" },
    },
    error: "cross-entropy a step, in nats",
    cells: ["lru", "lstm", "gru", "elman"],
    async *run({ seed, cell, effort }) {
      const [netKey, dataKey, validationKey, testKey] = splitKey(randomKey(seed), 4);
      const net = labeller(recurrent(cellByName(cell, { inputSize: COPY_INPUTS, hiddenSize: HIDDEN })), COPY_CLASSES);
      const measure = measureOf(net, blanks);
      const validation = copyMemory(validationKey, blanks, TESTED);
      const { params, updates: made } = yield* learnProblem({
        params: net.init(netKey),
        problem: net.problem,
        batch: compile((key: Tensor) => copyMemory(key, blanks, BATCH)),
        key: dataKey,
        updates: effort * updates,
        optimizer: adam({ learningRate: 0.003 }),
        transforms: [clipByNorm(1)],
        solved: (learnt) => measure(learnt, validation).loss < SURELY_SOLVED * baseline,
      });
      return { ...measure(params, copyMemory(testKey, blanks, TESTED)), updates: made };
    },
  };
}

/** Cross-entropy a step, and the part of the last ten steps whose likeliest class is right. */
function measureOf<P extends TensorTree, C extends TensorTree>({ problem, outputs }: Labeller<P, C>, blanks: number) {
  const recalled = (all: Tensor) => slice(all, 0, blanks + COPIED);
  const measure = compile((params: NetworkParams<P>, sequences: LabelledSequences) => {
    const { loss } = problem.loss(params, problem.initialCarry(sequences), sequences);
    const right = equal(recalled(argmax(outputs(params, sequences.xs))), recalled(sequences.targets));
    return { loss: averageLoss(loss), right: mean(cast(right, "float32")) };
  });
  return (params: NetworkParams<P>, sequences: LabelledSequences) => {
    const { loss, right } = measure(params, sequences);
    return { loss: toNumber(loss), right: toNumber(right) };
  };
}

/** Lengths that an LRU learns in minutes. */
export const copyMemoryExperiments: readonly Experiment[] = [
  copyMemoryExperiment(20, 3000),
  copyMemoryExperiment(50, 6000),
];
