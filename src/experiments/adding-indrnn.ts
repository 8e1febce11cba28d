/** The adding problem over 1,000 steps, for units that each remember only themselves. */

import { adam, clipByNorm, constrained, exponentialDecay } from "../learn/index.js";
import { boundRecurrentWeights, type IndRNNParams, indrnn, recurrent, stacked, uniformInit } from "../nn/index.js";
import { add, randomKey, splitKey } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import type { Tensor } from "../tensor/index.js";
import { addingLoss, addingTest, SOLVED, SURELY_SOLVED } from "./adding.js";
import { adding } from "./data/adding.js";
import type { Experiment } from "./experiment.js";
import { learn } from "./learn.js";
import { type NetworkParams, network } from "./network.js";

const [LENGTH, HIDDEN, UPDATES] = [1000, 32, 20000] as const;
/** Bound of the recurrent weights: a gradient grows at most by 2 over a sequence. */
const MAXIMUM = 2 ** (1 / LENGTH);

/** Two layers; the second is read only after the last step. */
const net = network(
  stacked(
    [2, HIDDEN].map((inputSize) => recurrent(indrnn({ inputSize, hiddenSize: HIDDEN, maxRecurrentWeight: MAXIMUM }))),
  ),
  1,
);
type Params = NetworkParams<readonly IndRNNParams[]>;

/** Starting values as in the paper: the units of the last layer, which must keep what they read to the end, have weights within [1/m, m]. */
function init(key: Tensor): Params {
  const [netKey, weightKey] = splitKey(key);
  const { layer, readout } = net.init(netKey);
  const [first, last] = layer as [IndRNNParams, IndRNNParams];
  const middle = (MAXIMUM + 1 / MAXIMUM) / 2;
  const weightHh = add(uniformInit(MAXIMUM - middle)(weightKey, [HIDDEN]), middle);
  return { layer: [first, { ...last, weightHh }], readout };
}

/** Sums of two marked numbers of 1,000, by an IndRNN. */
export const addingIndrnn: Experiment = {
  id: "adding/indrnn-1000",
  title: "Adding two marked numbers of 1000, by an IndRNN",
  source: {
    authors: "Li, Li, Cook, Zhu & Gao",
    year: 2018,
    title: "Independently recurrent neural network (IndRNN): building a longer and deeper RNN",
    where: "the adding problem",
    link: "arXiv:1803.04831",
  },
  notes:
    "Two layers as in the paper, of 32 units instead of 128, and batches of 16 instead of 50. Adam's learning rate falls from .002 tenfold " +
    "every 10,000 updates. Always answering 1 costs 1/6 = .167. Learning ends when validation shows the aim to be reached.",
  figures: {
    mse: { name: "mean squared error on new sequences", aim: { below: SOLVED } },
    updates: { name: "updates made" },
  },
  error: "mean squared error",
  cells: ["indrnn"],
  async *run({ seed, effort }) {
    const [netKey, dataKey, validationKey, testKey] = splitKey(randomKey(seed), 4);
    const validate = addingTest(net, validationKey, LENGTH);
    const { params, updates } = yield* learn({
      params: init(netKey),
      loss: addingLoss(net),
      batch: compile((key: Tensor) => adding(key, LENGTH, 16)),
      key: dataKey,
      updates: effort * UPDATES,
      optimizer: constrained(
        adam({ learningRate: exponentialDecay({ initial: 0.002, decay: 0.1, interval: 10000 }) }),
        ({ layer, readout }: Params) => ({
          layer: layer.map((params) => boundRecurrentWeights(params, MAXIMUM)),
          readout,
        }),
      ),
      transforms: [clipByNorm(1)],
      solved: (learnt) => validate(learnt) < SURELY_SOLVED,
    });
    return { mse: addingTest(net, testKey, LENGTH)(params), updates };
  },
};
