/** The temporal order problem at several lengths: what clipping gradients, and keeping them alive, is good for. */

import { adam, clipByNorm, withJacobianNorm } from "../learn/index.js";
import { cellByName, recurrent } from "../nn/index.js";
import { argmax, at, cast, foldIn, mean, notEqual, randomKey, splitKey } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { type Tensor, type TensorTree, toNumber } from "../tensor/index.js";
import type { LabelledSequences } from "./data/labelled-sequences.js";
import { ORDER_CLASSES, ORDER_SYMBOLS, temporalOrder } from "./data/temporal-order.js";
import type { Experiment } from "./experiment.js";
import { labeller } from "./labeller.js";
import { learnProblem } from "./learn.js";
import type { Network, NetworkParams } from "./network.js";
import { sparseElman } from "./sparse-elman.js";

/** Part of wrong answers below which the problem counts as solved. */
const SOLVED = 0.01;
/** Learning ends when it is below this, on sequences that it is not tested on. */
const SURELY_SOLVED = SOLVED / 2;
const [HIDDEN, BATCH, UPDATES, VALIDATED, TESTED] = [50, 20, 30_000, 1000, 10_000] as const;
/** Weight of the term that keeps gradients alive, averaged over steps. */
const ALPHA = 4;

type AnyCell = ReturnType<typeof cellByName>;

/** The classes of `length` symbols, each in {A, B} twice. */
function temporalOrderExperiment(length: number): Experiment {
  return {
    id: `temporal-order/${length}`,
    title: `The order of two symbols among ${length}`,
    source: {
      authors: "Pascanu, Mikolov & Bengio",
      year: 2013,
      title: "On the difficulty of training recurrent neural networks",
      where: "section 4.1, the temporal order problem",
      link: "arXiv:1211.5063",
    },
    notes:
      "regularized, clipped and plain are the paper's SGD-CR, SGD-C and SGD, but with Adam of learning rate .0003 for its gradient descent of " +
      ".01, and 30,000 updates at most for its 5 million. 50 tanh units that start sparse with spectral radius .95 (its smart tanh), norm 1 and " +
      "alpha 4 are the paper's; batches of 20, and a term that is averaged over the steps, its authors' program's. The other cells start as " +
      "usual. Always answering AA is wrong in .75. Learning ends when validation shows the aim to be reached.",
    figures: {
      wrong: { name: "wrong answers on 10,000 new sequences", aim: { below: SOLVED } },
      updates: { name: "updates made" },
    },
    error: "cross-entropy, in nats",
    cells: ["elman", "lstm", "gru"],
    methods: ["regularized", "clipped", "plain"],
    async *run({ seed, cell, method, effort }) {
      const [netKey, dataKey, validationKey, testKey] = splitKey(randomKey(seed), 4);
      const sizes = { inputSize: ORDER_SYMBOLS.length, hiddenSize: HIDDEN };
      const start = cell === "elman" ? (sparseElman(sizes) as unknown as AnyCell) : cellByName(cell, sizes);
      const net = labeller(recurrent(start), ORDER_CLASSES.length);
      const wrong = wrongAnswers(net);
      const validation = temporalOrder(validationKey, length, VALIDATED);
      const { params, updates } = yield* learnProblem({
        params: net.init(netKey),
        problem: method === "regularized" ? withJacobianNorm(net.problem, { weight: ALPHA / length }) : net.problem,
        batch: compile((key: Tensor) => temporalOrder(key, length, BATCH)),
        key: dataKey,
        updates: effort * UPDATES,
        optimizer: adam({ learningRate: 0.0003 }),
        transforms: method === "plain" ? [] : [clipByNorm(1)],
        solved: (learnt) => wrong(learnt, validation) < SURELY_SOLVED,
      });
      const parts = Array.from({ length: TESTED / VALIDATED }, (_, part) =>
        wrong(params, temporalOrder(foldIn(testKey, part), length, VALIDATED)),
      );
      return { wrong: parts.reduce((sum, part) => sum + part) / parts.length, updates };
    },
  };
}

/** Part of wrong answers at the last step. */
function wrongAnswers<Params extends TensorTree>({ last }: Network<Params>) {
  const measure = compile((params: NetworkParams<Params>, { xs, targets }: LabelledSequences) =>
    mean(cast(notEqual(argmax(last(params, xs)), at(targets, -1)), "float32")),
  );
  return (params: NetworkParams<Params>, sequences: LabelledSequences): number => toNumber(measure(params, sequences));
}

/** Several lengths of those in the paper. */
export const temporalOrderExperiments: readonly Experiment[] = [50, 100, 150, 200].map(temporalOrderExperiment);
