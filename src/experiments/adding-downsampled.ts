/** Long sequences made short by a convolution before the recurrence. */

import { adam } from "../learn/index.js";
import { convolution1d, gru, maxPool1d, recurrent } from "../nn/index.js";
import { add, randomKey, relu, splitKey } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import type { Tensor } from "../tensor/index.js";
import { grad } from "../transforms/index.js";
import { addingLoss, addingTest, SOLVED, SURELY_SOLVED } from "./adding.js";
import { type AddingBatch, adding } from "./data/adding.js";
import type { Experiment } from "./experiment.js";
import { learn } from "./learn.js";
import { network } from "./network.js";

const [LENGTH, FILTERS, HIDDEN, BATCH, UPDATES] = [1000, 16, 64, 16, 1000] as const;

/** Times that a gradient is computed to measure it. */
const TURNS = 11;

const alone = network(recurrent(gru({ inputSize: 2, hiddenSize: HIDDEN })), 1);
const downsampled = behindConvolution();

/** A convolution, and the largest of every 10 steps, before the same GRU: it takes 100 steps instead of 1,000. */
function behindConvolution() {
  const convolution = convolution1d({ inputSize: 2, outputSize: FILTERS, kernelSize: 5, padding: "same" });
  const pool = maxPool1d({ size: 10 });
  const rest = network(recurrent(gru({ inputSize: FILTERS, hiddenSize: HIDDEN })), 1);
  const init = (key: Tensor) => {
    const [convolutionKey, restKey] = splitKey(key);
    return { convolution: convolution.init(convolutionKey), rest: rest.init(restKey) };
  };
  return {
    init,
    last: (params: ReturnType<typeof init>, xs: Tensor) =>
      rest.last(params.rest, pool.apply(relu(convolution.apply(params.convolution, xs)))),
  };
}

/** Sums of two marked numbers of 1,000, by a GRU behind a convolution and by one that reads every step. */
export const addingDownsampled: Experiment = {
  id: "adding-downsampled",
  title: "Adding two marked numbers of 1000, behind a convolution",
  source: {
    authors: "Chollet",
    year: 2017,
    title: "Deep learning with Python",
    where: "the section on convolution and recurrence for long sequences",
  },
  notes:
    "The book states that this is faster, on data of its own; task and aim are ours. Both networks make the same updates, until the one behind " +
    "the convolution reaches the aim on sequences kept for validation. Always answering 1 costs 1/6 = .167.",
  figures: {
    speedup: { name: "time of a gradient, GRU alone over GRU behind the convolution", aim: { from: 5 } },
    mse: { name: "mean squared error behind the convolution", aim: { below: SOLVED } },
    mseAlone: { name: "mean squared error of the GRU alone", derived: 1 / 6 },
    updates: { name: "updates made" },
  },
  error: "mean squared error of both networks, added",
  cells: ["gru"],
  async *run({ seed, effort }) {
    const [netKey, aloneKey, dataKey, validationKey, testKey] = splitKey(randomKey(seed), 5);
    const nets = { downsampled: downsampled.init(netKey), alone: alone.init(aloneKey) };
    const draw = compile((key: Tensor) => adding(key, LENGTH, BATCH));
    const lossOf = { downsampled: addingLoss(downsampled), alone: addingLoss(alone) };
    const validate = addingTest(downsampled, validationKey, LENGTH);
    // The two share nothing, so that learning both at once is learning each by itself.
    const { params, updates } = yield* learn({
      params: nets,
      loss: (learnt, batch: AddingBatch) =>
        add(lossOf.downsampled(learnt.downsampled, batch), lossOf.alone(learnt.alone, batch)),
      batch: draw,
      key: dataKey,
      updates: effort * UPDATES,
      optimizer: adam({ learningRate: 0.003 }),
      solved: (learnt) => validate(learnt.downsampled) < SURELY_SOLVED,
    });
    const batch = draw(testKey);
    const [short, long] = compareTimes(
      compile(grad(lossOf.downsampled)).bind(params.downsampled, batch),
      compile(grad(lossOf.alone)).bind(params.alone, batch),
    );
    return {
      speedup: long / short,
      mse: addingTest(downsampled, testKey, LENGTH)(params.downsampled),
      mseAlone: addingTest(alone, testKey, LENGTH)(params.alone),
      updates,
    };
  },
};

/** Median times of two calls in milliseconds, measured by turns, so that other work on the machine slows down both. */
function compareTimes(first: () => unknown, second: () => unknown): readonly [first: number, second: number] {
  const timesOf = [first, second].map((call) => ({ call, times: [] as number[] }));
  for (let turn = 0; turn < TURNS; turn++) {
    for (const { call, times } of timesOf) {
      const started = performance.now();
      call();
      times.push(performance.now() - started);
    }
  }
  return timesOf.map(({ times }) => times.sort((a, b) => a - b)[TURNS >> 1]) as [number, number];
}
