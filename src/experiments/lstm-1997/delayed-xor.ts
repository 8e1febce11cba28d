/** Limits of the truncated gradient: exclusive or of two bits that lie far apart. */

import { randomKey } from "../../ops/index.js";
import type { Experiment } from "../experiment.js";
import { delayedXor } from "./data/numbers.js";
import { learner } from "./learner.js";
import { type MemoryNetworkOptions, memoryNetwork } from "./memory-network.js";
import { randomSource } from "./random-source.js";
import { recentlyCorrect, scoreOf } from "./stopping.js";
import { experimentOf } from "./trial.js";
import { afterSequence } from "./updates.js";

/** Least length, learning rate, the error from which on an answer is wrong, and sequences of the last test. */
const [LENGTH, RATE, TOLERANCE, TESTED] = [20, 0.5, 0.3, 2560] as const;

/** 93 weights, as those of experiment 4. */
export const XOR_NETWORK = {
  inputSize: 2,
  blocks: 2,
  blockSize: 2,
  initialRange: 1,
  outputSize: 1,
  outputBias: true,
  answers: "last",
} as const satisfies MemoryNetworkOptions;

/** No part of the task can be learnt by itself: knowing one of the bits makes no error smaller. */
export const delayedXorExperiment: Experiment = experimentOf({
  id: "lstm-1997/delayed-xor",
  title: "Delayed exclusive or, by the truncated gradient and the exact one",
  where: "section 6, limitations of LSTM",
  notes:
    "The paper says, without an experiment, that the truncated gradient cannot easily solve such problems, and that the exact one may help at a " +
    "higher cost. Task and sizes are ours: adding as in experiment 4, of at least 20 steps, with bits for numbers and their exclusive or for their sum; " +
    "weights start within ±1. Always answering ½ gives a mean error of .5. The difference does not show here: of ten seeds, the truncated gradient solves 8, the exact one 6.",
  limit: 100_000,
  methods: ["truncated", "exact"],
  figures: {
    wrong: { name: `wrong of ${TESTED} new sequences` },
    error: { name: "mean of |target - output| on them" },
  },
  trial: ({ seed, method }) => {
    const network = memoryNetwork(XOR_NETWORK, method === "exact");
    const [random, testRandom] = [randomSource(seed, 0), randomSource(seed, 1)];
    return {
      learner: learner(network, network.init(randomKey(seed)), afterSequence(network, RATE)),
      next: () => delayedXor(random, LENGTH),
      isSolved: recentlyCorrect({ tolerance: TOLERANCE }),
      measure: (learnt) => ({ ...scoreOf(learnt, () => delayedXor(testRandom, LENGTH), TESTED, TOLERANCE) }),
    };
  },
});
