/** The adding problem at several lengths, for Le, Jaitly & Hinton's rectified units that begin as the identity, and for gated cells. */

import { adam, clipByNorm } from "../learn/index.js";
import { averageLoss, cellByName, meanSquaredError, recurrent } from "../nn/index.js";
import { randomKey, splitKey } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { type Tensor, type TensorTree, toNumber } from "../tensor/index.js";
import { type AddingBatch, adding } from "./data/adding.js";
import type { Experiment } from "./experiment.js";
import { learn } from "./learn.js";
import { network } from "./network.js";

/** Mean squared error below which the problem counts as solved. */
export const SOLVED = 0.01;
/** Learning ends when it is below this, on sequences that it is not tested on. */
export const SURELY_SOLVED = 0.8 * SOLVED;
/** Sequences that a network is tested on. */
const TESTED = 1000;

/** What adds: a network that answers `[batch, 1]` after the last step of `[time, batch, 2]`. */
interface Adder<Params extends TensorTree> {
  last(params: Params, xs: Tensor): Tensor;
}

/** What the network answers after the last step, against the sum. */
export const addingLoss =
  <Params extends TensorTree>({ last }: Adder<Params>) =>
  (params: Params, { xs, targets }: AddingBatch): Tensor =>
    averageLoss(meanSquaredError(last(params, xs), targets));

/** Mean squared error on sequences that are not learnt from. */
export function addingTest<Params extends TensorTree>(net: Adder<Params>, key: Tensor, length: number) {
  const sequences = adding(key, length, TESTED);
  const loss = compile(addingLoss(net));
  return (params: Params): number => toNumber(loss(params, sequences));
}

/** Sums of two marked numbers in a sequence of `length`. */
function addingExperiment(length: number): Experiment {
  return {
    id: `adding/${length}`,
    title: `Adding two marked numbers of ${length}`,
    source: {
      authors: "Le, Jaitly & Hinton",
      year: 2015,
      title: "A simple way to initialize recurrent networks of rectified linear units",
      where: "the adding problem",
      link: "arXiv:1504.00941",
    },
    notes:
      "100 units and batches of 16, as in the paper; Adam with learning rate .001 and gradients clipped to norm 1 for its gradient descent. " +
      "The paper shows learning curves, without numbers. Always answering 1 costs 1/6 = .167. Learning ends when validation shows the aim to be reached.",
    figures: {
      mse: { name: "mean squared error on new sequences", aim: { below: SOLVED } },
      updates: { name: "updates made" },
    },
    error: "mean squared error",
    cells: ["irnn", "lstm", "gru", "elman"],
    async *run({ seed, cell, effort }) {
      const [netKey, dataKey, validationKey, testKey] = splitKey(randomKey(seed), 4);
      const net = network(recurrent(cellByName(cell, { inputSize: 2, hiddenSize: 100 })), 1);
      const validate = addingTest(net, validationKey, length);
      const { params, updates } = yield* learn({
        params: net.init(netKey),
        loss: addingLoss(net),
        batch: compile((key: Tensor) => adding(key, length, 16)),
        key: dataKey,
        updates: effort * 200 * length,
        optimizer: adam({ learningRate: 0.001 }),
        transforms: [clipByNorm(1)],
        solved: (learnt) => validate(learnt) < SURELY_SOLVED,
      });
      return { mse: addingTest(net, testKey, length)(params), updates };
    },
  };
}

/** The lengths of the paper. */
export const addingExperiments: readonly Experiment[] = [150, 200, 300, 400].map(addingExperiment);
