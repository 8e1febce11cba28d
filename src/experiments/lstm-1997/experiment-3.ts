/** Experiment 3: two classes that are told at the beginning, with noise on the same line. */

import { randomKey } from "../../ops/index.js";
import type { Experiment } from "../experiment.js";
import { type TwoClassesOptions, twoClasses } from "./data/numbers.js";
import { guesser } from "./guesser.js";
import { type Learner, learner } from "./learner.js";
import { logisticCell } from "./logistic-cell.js";
import { type MemoryNetworkOptions, memoryNetwork } from "./memory-network.js";
import { networkOf } from "./network.js";
import { randomSource } from "./random-source.js";
import { type Score, scoreOf, whenTested } from "./stopping.js";
import { experimentOf } from "./trial.js";
import { afterSequence } from "./updates.js";

/** Sequences of the test that decides whether learning is over, and of the final one. */
const [TESTED_OFTEN, TESTED] = [256, 2560] as const;
const INTERVAL = 500;
/** Guessed weights are uniform in ±GUESSED. */
const GUESSED = 100;

/** 102 weights. */
export const TWO_CLASSES_NETWORK = {
  inputSize: 1,
  blocks: 3,
  inputGateBias: [-1, -3, -5],
  outputGateBias: [-2, -4, -6],
  initialRange: 0.1,
  outputSize: 1,
  answers: "last",
} as const satisfies MemoryNetworkOptions;

/** What the three experiments differ in. */
interface Variant {
  readonly name: string;
  readonly table: number;
  readonly task: Omit<TwoClassesOptions, "minimumLength" | "informative">;
  readonly learningRate: number;
  /** From which error on an answer is wrong. */
  readonly tolerance: number;
  /** Whether the answers to the test show that learning is over. */
  passes(score: Score): boolean;
}

const VARIANTS = {
  a: {
    name: "noise and signal on one line",
    table: 4,
    task: {},
    learningRate: 1,
    tolerance: 0.2,
    passes: ({ wrong, error }) => wrong === 0 && error < 0.01,
  },
  b: {
    name: "noise on the signal, too",
    table: 5,
    task: { inputNoise: 0.2 },
    learningRate: 1,
    tolerance: 0.2,
    passes: ({ wrong, error }) => wrong < 6 && error < 0.04,
  },
  c: {
    name: "noise on the targets",
    table: 6,
    task: { targets: [0.2, 0.8], targetNoise: 0.1 },
    learningRate: 0.1,
    tolerance: 0.1,
    passes: ({ wrong, error }) => wrong === 0 && error < 0.015,
  },
} as const satisfies Record<string, Variant>;

function learning(seed: number, learningRate: number): Learner {
  const network = memoryNetwork(TWO_CLASSES_NETWORK);
  return learner(network, network.init(randomKey(seed)), afterSequence(network, learningRate));
}

/** Three logistic units that see each other, 19 weights in all, drawn anew after each wrong answer. */
function guessing(seed: number, tolerance: number): Learner {
  const network = networkOf(logisticCell({ inputSize: 1, hiddenSize: 3, initialRange: GUESSED, bias: true }), {
    outputSize: 1,
    outputBias: true,
    initialRange: GUESSED,
    answers: "last",
  });
  const random = randomSource(seed, 2);
  return guesser(network, { random, range: GUESSED, tolerance });
}

function twoClassesExperiment(
  letter: keyof typeof VARIANTS,
  [minimumLength, informative]: readonly [number, number],
  paper: { readonly presentations: number; readonly wrong: number; readonly error?: number },
): Experiment {
  const { name, table, task, learningRate, tolerance, passes }: Variant = VARIANTS[letter];
  const isDefault = minimumLength === 100 && informative === 3;
  const options = { ...task, minimumLength, informative };
  return experimentOf({
    id: `lstm-1997/3${letter}${isDefault ? "" : `/${minimumLength}-${informative}`}`,
    title: `Two classes, ${name}, at least ${minimumLength} steps, told by the first ${informative}`,
    where: `experiment 3${letter}, tables ${table} and 10`,
    notes:
      `A test on ${TESTED_OFTEN} new sequences without noise on the targets follows every ${INTERVAL} presentations, a last one on ${TESTED} more. ` +
      "Presentations are the paper's until the second stop criterion. With the method guess nothing is learnt: 19 weights of three logistic units are " +
      "drawn anew after each wrong answer, until they answer correctly (Schmidhuber & Hochreiter 1996). 10 trials in the paper.",
    presentations: paper.presentations,
    methods: ["truncated", "guess"],
    limit: 10 * paper.presentations,
    figures: {
      misclassified: { name: "part of new sequences that is misclassified", paper: paper.wrong },
      error: { name: "mean of |target - output| on them", ...(paper.error !== undefined && { paper: paper.error }) },
    },
    trial: ({ seed, method }) => {
      const [random, testRandom] = [randomSource(seed, 0), randomSource(seed, 1)];
      const test = () => twoClasses(testRandom, { ...options, targetNoise: 0 });
      return {
        learner: method === "guess" ? guessing(seed, tolerance) : learning(seed, learningRate),
        next: () => twoClasses(random, options),
        isSolved: whenTested(INTERVAL, (learnt) => passes(scoreOf(learnt, test, TESTED_OFTEN, tolerance))),
        measure: (learnt) => {
          const { wrong, error } = scoreOf(learnt, test, TESTED, tolerance);
          return { misclassified: wrong / TESTED, error };
        },
      };
    },
  });
}

/** The rows of tables 4, 5 and 6. */
export const twoClassesRows: readonly Experiment[] = [
  twoClassesExperiment("a", [100, 3], { presentations: 39_850, wrong: 0.000195 }),
  twoClassesExperiment("a", [100, 1], { presentations: 64_330, wrong: 0.000117 }),
  twoClassesExperiment("a", [1000, 3], { presentations: 452_460, wrong: 0.000078 }),
  twoClassesExperiment("b", [100, 3], { presentations: 43_250, wrong: 0.00828 }),
  twoClassesExperiment("b", [100, 1], { presentations: 78_430, wrong: 0.015 }),
  twoClassesExperiment("b", [1000, 1], { presentations: 485_080, wrong: 0.01207 }),
  twoClassesExperiment("c", [100, 3], { presentations: 269_650, wrong: 0.00558, error: 0.014 }),
  twoClassesExperiment("c", [100, 1], { presentations: 565_640, wrong: 0.00441, error: 0.012 }),
];
