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
/** Where the paper's figure is reached. */
const NARROW_RANGE = 0.05;

/** 6p + 64 weights. */
export const triggeredNetwork = (distractors: number, initialRange = RANGE): MemoryNetworkOptions => ({
  inputSize: distractors + 4,
  blocks: 2,
  bias: "none",
  initialRange,
  outputSize: 2,
  answers: "last",
});

const nameOf = (minimalLag: number, distractors: number, initialRange: number): string => {
  if (initialRange === NARROW_RANGE) return "2c/narrow";
  return minimalLag === 50 ? "2c" : `2c/${minimalLag}-${distractors}`;
};

const triggeredRow = (
  minimalLag: number,
  distractors: number,
  presentations: number,
  initialRange = RANGE,
): Experiment =>
  experimentOf({
    id: `lstm-1997/${nameOf(minimalLag, distractors, initialRange)}`,
    title: `Time lag of at least ${minimalLag} steps, ${distractors} distractors${initialRange === RANGE ? "" : ", narrow start"}`,
    where: "experiment 2c, tables 3 and 10",
    notes:
      "After each distractor beyond the least lag the trigger comes with probability 1/10 (the text gives 1/10 for both branches, its formula " +
      `9/10 and 1/10). A test follows every ${INTERVAL} presentations, until ${TESTED} new sequences are all answered; 20 trials in the paper.` +
      (initialRange === RANGE ? "" : ` Differs from the paper: weights start within ±${initialRange}, not ±${RANGE}.`),
    presentations,
    limit: 10 * presentations,
    trial: ({ seed }) => {
      const network = memoryNetwork(triggeredNetwork(distractors, initialRange));
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

/** The rows of table 3. */
export const triggeredRows: readonly Experiment[] = [
  triggeredRow(50, 50, 30_000),
  triggeredRow(50, 50, 30_000, NARROW_RANGE),
  triggeredRow(100, 100, 31_000),
  triggeredRow(200, 200, 33_000),
  triggeredRow(500, 500, 38_000),
  triggeredRow(1000, 1000, 49_000),
  triggeredRow(1000, 500, 49_000),
  triggeredRow(1000, 200, 75_000),
  triggeredRow(1000, 100, 135_000),
  triggeredRow(1000, 50, 203_000),
];
