/** Experiments 4 and 5: adding and multiplying two marked numbers. */

import { randomKey } from "../../ops/index.js";
import type { Experiment } from "../experiment.js";
import { addingPairs, multiplyingPairs } from "./data/numbers.js";
import { learner } from "./learner.js";
import { type MemoryNetworkOptions, memoryNetwork } from "./memory-network.js";
import { type RandomSource, randomSource } from "./random-source.js";
import type { Sequence } from "./sequence.js";
import { type RecentOptions, recentlyCorrect, scoreOf } from "./stopping.js";
import { experimentOf, type Row } from "./trial.js";
import { afterSequence } from "./updates.js";

/** A sequence is answered correctly if the output is off by this at most. */
const TOLERANCE = 0.04;
const TESTED = 2560;
const NOTES =
  "Averages of the stop criterion are taken over the last 2000 presentations, of |target - output| before the update. The second mark is on " +
  "one of the first T/2 - 1 pairs that the first one leaves.";

/** 93 weights. */
const NETWORK = {
  inputSize: 2,
  blocks: 2,
  blockSize: 2,
  initialRange: 0.1,
  outputSize: 1,
  outputBias: true,
  answers: "last",
} as const satisfies MemoryNetworkOptions;

/** 93 weights, input gates that begin almost closed. */
export const ADDING_NETWORK = { ...NETWORK, inputGateBias: [-3, -6] } as const satisfies MemoryNetworkOptions;
/** 93 weights, all of them random in the beginning. */
export const MULTIPLYING_NETWORK: MemoryNetworkOptions = NETWORK;

/** What the two experiments differ in. */
interface NumbersRow extends Pick<Row, "id" | "title" | "where" | "notes" | "inPlaceOf"> {
  readonly presentations: number;
  readonly wrong: number;
  readonly error?: number;
  readonly network: MemoryNetworkOptions;
  readonly learningRate: number;
  readonly stop: RecentOptions;
  draw(random: RandomSource): Sequence;
}

const numbersExperiment = ({ wrong, error, network, learningRate, stop, draw, ...row }: NumbersRow): Experiment =>
  experimentOf({
    ...row,
    limit: 10 * row.presentations,
    figures: {
      wrong: { name: `wrong of ${TESTED} new sequences`, paper: wrong },
      error: { name: "mean of |target - output| on them", ...(error !== undefined && { paper: error }) },
    },
    trial: ({ seed }) => {
      const net = memoryNetwork(network);
      const [random, testRandom] = [randomSource(seed, 0), randomSource(seed, 1)];
      return {
        learner: learner(net, net.init(randomKey(seed)), afterSequence(net, learningRate)),
        next: () => draw(random),
        isSolved: recentlyCorrect(stop),
        measure: (learnt) => ({ ...scoreOf(learnt, () => draw(testRandom), TESTED, TOLERANCE) }),
      };
    },
  });

/** What reaches the paper's figures where the paper's own words do not. */
interface Departure {
  /** End of the name of the row. */
  readonly name: string;
  readonly network: Pick<MemoryNetworkOptions, "output" | "initialRange">;
  readonly notes: string;
}
const WHY_LINEAR =
  "a logistic one has to end far from 0 for sums near -2 and 2, and keeps missing them by more than the tolerance.";
const LINEAR: Departure = {
  name: "linear",
  network: { output: "identity", initialRange: 0.1 },
  notes: `Differs from the paper: the output unit is linear; ${WHY_LINEAR}`,
};
const LINEAR_WIDE: Departure = {
  name: "linear-wide",
  network: { output: "identity", initialRange: 0.5 },
  notes: `Differs from the paper: the output unit is linear, and weights start within ±.5, not ±.1; ${WHY_LINEAR}`,
};

function adding(minimumLength: number, presentations: number, wrong: number, departure?: Departure): Experiment {
  const id = minimumLength === 100 ? "lstm-1997/4" : `lstm-1997/4/${minimumLength}`;
  return numbersExperiment({
    id: departure ? `${id}/${departure.name}` : id,
    ...(departure === LINEAR && { inPlaceOf: id }),
    title: `Adding two marked numbers, at least ${minimumLength} steps${departure ? `, ${departure.name}` : ""}`,
    where: "experiment 4, tables 7 and 10",
    notes: `${NOTES} 10 trials in the paper.${departure ? ` ${departure.notes}` : ""}`,
    presentations,
    wrong,
    network: { ...ADDING_NETWORK, ...departure?.network },
    learningRate: 0.5,
    stop: { tolerance: TOLERANCE, meanBelow: 0.01 },
    draw: (random) => addingPairs(random, minimumLength),
  });
}

const multiplying = (wrongBelow: number, presentations: number, wrong: number, error: number): Experiment =>
  numbersExperiment({
    id: wrongBelow === 140 ? "lstm-1997/5" : `lstm-1997/5/${wrongBelow}`,
    title: `Multiplying two marked numbers, until fewer than ${wrongBelow} of 2000 are wrong`,
    where: "experiment 5, tables 8 and 10",
    notes: `${NOTES} The paper calls the error a mean square, which cannot be: it is compared with the mean of |target - output|. 10 trials in the paper.`,
    presentations,
    wrong,
    error,
    network: MULTIPLYING_NETWORK,
    learningRate: 0.1,
    stop: { tolerance: TOLERANCE, wrongBelow },
    draw: (random) => multiplyingPairs(random, 100),
  });

/** The rows of table 7. */
export const addingRows: readonly Experiment[] = [
  adding(100, 74_000, 1),
  adding(100, 74_000, 1, LINEAR),
  adding(100, 74_000, 1, LINEAR_WIDE),
  adding(500, 209_000, 0),
  adding(500, 209_000, 0, LINEAR_WIDE),
  adding(1000, 853_000, 1),
];
/** The rows of table 8. */
export const multiplyingRows: readonly Experiment[] = [
  multiplying(140, 482_000, 139, 0.0223),
  multiplying(13, 1_273_000, 14, 0.0139),
];
