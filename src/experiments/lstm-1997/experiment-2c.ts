/** Experiment 2c: very long lags among distractors, until a trigger asks. */

import { randomKey } from "../../ops/index.js";
import type { Experiment } from "../experiment.js";
import { triggered } from "./data/long-lag.js";
import { learner } from "./learner.js";
import { type MemoryNetworkOptions, memoryNetwork } from "./memory-network.js";
import { randomSource } from "./random-source.js";
import { allWithin, whenTested } from "./stopping.js";
import { experimentOf } from "./trial.js";
import { afterSequence } from "./updates.js";

/** Sequences that must all be answered with an error below the tolerance, and presentations from test to test. */
const [TESTED, TOLERANCE, INTERVAL] = [10_000, 0.2, 500] as const;

/** Weights start uniform in ±RANGE. */
const RANGE = 0.2;

/** 6p + 64 weights; 36 of them are recurrent. */
export const triggeredNetwork = (distractors: number, recurrentWeights = true): MemoryNetworkOptions => ({
  inputSize: distractors + 4,
  blocks: 2,
  bias: "none",
  initialRange: RANGE,
  outputSize: 2,
  answers: "last",
  recurrentWeights,
});

/** A row of table 3. */
interface LongestLag {
  /** q */
  readonly minimalLag: number;
  /** p */
  readonly distractors: number;
  readonly presentations: number;
}

const NOTES =
  "After each distractor beyond the least lag the trigger comes with probability 1/10 (the text gives 1/10 for both branches, its formula " +
  `9/10 and 1/10). A test follows every ${INTERVAL} presentations, until ${TESTED} new sequences are all answered; 20 trials in the paper.`;
const NOT_RECURRENT_NOTES = " Differs from the paper: cells and gates do not see cells and gates.";

const triggeredRow = (
  { minimalLag, distractors, presentations }: LongestLag,
  recurrentWeights: boolean,
): Experiment => {
  const id = `lstm-1997/2c${minimalLag === 50 ? "" : `/${minimalLag}-${distractors}`}`;
  const title = `Time lag of at least ${minimalLag} steps, ${distractors} distractors`;
  return experimentOf({
    id: recurrentWeights ? id : `${id}/no-recurrent-weights`,
    ...(!recurrentWeights && { inPlaceOf: id }),
    title: recurrentWeights ? title : `${title}, no recurrent weights`,
    where: "experiment 2c, tables 3 and 10",
    notes: NOTES + (recurrentWeights ? "" : NOT_RECURRENT_NOTES),
    presentations,
    limit: 10 * presentations,
    trial: ({ seed }) => {
      const network = memoryNetwork(triggeredNetwork(distractors, recurrentWeights));
      const [random, testRandom] = [randomSource(seed, 0), randomSource(seed, 1)];
      return {
        learner: learner(network, network.init(randomKey(seed)), afterSequence(network, 0.01)),
        next: () => triggered(random, minimalLag, distractors),
        isSolved: whenTested(INTERVAL, (learnt) =>
          allWithin(learnt, () => triggered(testRandom, minimalLag, distractors), {
            count: TESTED,
            tolerance: TOLERANCE,
          }),
        ),
      };
    },
  });
};

const TABLE_3: readonly LongestLag[] = [
  { minimalLag: 50, distractors: 50, presentations: 30_000 },
  { minimalLag: 100, distractors: 100, presentations: 31_000 },
  { minimalLag: 200, distractors: 200, presentations: 33_000 },
  { minimalLag: 500, distractors: 500, presentations: 38_000 },
  { minimalLag: 1000, distractors: 1000, presentations: 49_000 },
  { minimalLag: 1000, distractors: 500, presentations: 49_000 },
  { minimalLag: 1000, distractors: 200, presentations: 75_000 },
  { minimalLag: 1000, distractors: 100, presentations: 135_000 },
  { minimalLag: 1000, distractors: 50, presentations: 203_000 },
];

/** The rows of table 3, each with recurrent weights and without. */
export const triggeredRows: readonly Experiment[] = TABLE_3.flatMap((row) => [
  triggeredRow(row, true),
  triggeredRow(row, false),
]);
