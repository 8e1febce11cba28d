/** Experiment 6: the order of widely separated symbols. */

import { randomKey } from "../../ops/index.js";
import type { Experiment } from "../experiment.js";
import { THREE_PLACES, TWO_PLACES, temporalOrder } from "./data/temporal-order.js";
import { learner } from "./learner.js";
import { type MemoryNetworkOptions, memoryNetwork } from "./memory-network.js";
import { randomSource } from "./random-source.js";
import { recentlyCorrect, scoreOf } from "./stopping.js";
import { experimentOf } from "./trial.js";
import { afterSequence } from "./updates.js";

/** A sequence is classified correctly if no output is off by more than this. */
const TOLERANCE = 0.3;
const TESTED = 2560;

/** 156 weights for two symbols and their 4 orders, 308 for three and 8. */
export const orderNetwork = (symbols: number): MemoryNetworkOptions => ({
  inputSize: 8,
  blocks: symbols,
  blockSize: 2,
  inputGateBias: Array.from({ length: symbols }, (_, block) => -2 * (block + 1)),
  initialRange: 0.1,
  outputSize: 2 ** symbols,
  outputBias: true,
  answers: "last",
});

interface OrderRow {
  readonly letter: string;
  readonly places: typeof TWO_PLACES;
  readonly learningRate: number;
  readonly presentations: number;
  readonly wrong: number;
}

const order = ({ letter, places, learningRate, presentations, wrong }: OrderRow): Experiment =>
  experimentOf({
    id: `lstm-1997/6${letter}`,
    title: `Temporal order of ${places.length} symbols`,
    where: `experiment 6${letter}, tables 9 and 10`,
    notes:
      "Averages of the stop criterion are taken over the last 2000 presentations, of |target - output| over outputs, before the update. Steps are " +
      `counted from 0. ${places.length === 2 ? 20 : 10} trials in the paper.`,
    presentations,
    limit: 10 * presentations,
    figures: { wrong: { name: `wrong of ${TESTED} new sequences`, paper: wrong } },
    trial: ({ seed }) => {
      const network = memoryNetwork(orderNetwork(places.length));
      const [random, testRandom] = [randomSource(seed, 0), randomSource(seed, 1)];
      return {
        learner: learner(network, network.init(randomKey(seed)), afterSequence(network, learningRate)),
        next: () => temporalOrder(random, places),
        isSolved: recentlyCorrect({ tolerance: TOLERANCE, meanBelow: 0.1 }),
        measure: (learnt) => ({
          wrong: scoreOf(learnt, () => temporalOrder(testRandom, places), TESTED, TOLERANCE).wrong,
        }),
      };
    },
  });

/** The rows of table 9. */
export const orderRows: readonly Experiment[] = [
  order({ letter: "a", places: TWO_PLACES, learningRate: 0.5, presentations: 31_390, wrong: 1 }),
  order({ letter: "b", places: THREE_PLACES, learningRate: 0.1, presentations: 571_100, wrong: 2 }),
];
