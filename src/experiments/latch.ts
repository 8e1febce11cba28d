/** The latching problem, with and without connections that skip steps. */

import { clipByValue, sgd } from "../learn/index.js";
import { averageLoss, crossEntropy, recurrent, skipElman, uniformInit } from "../nn/index.js";
import { add, argmax, cast, equal, foldIn, mean, randomKey, splitKey } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree, toNumber } from "../tensor/index.js";
import { type LatchBatch, latch } from "./data/latch.js";
import type { Experiment } from "./experiment.js";
import { learn } from "./learn.js";
import { type Network, type NetworkParams, network } from "./network.js";

const [LENGTH, HIDDEN, BATCH, UPDATES, TESTED] = [100, 8, 32, 2000, 1000] as const;

const plain = network(recurrent(skipElman({ inputSize: 1, hiddenSize: HIDDEN, delays: [1] })), 2);
const skipping = network(recurrent(skipElman({ inputSize: 1, hiddenSize: HIDDEN, delays: [1, 10] })), 2);

/** A class is told by the first three inputs, and asked for after 100 steps of noise. */
export const latchExperiment: Experiment = {
  id: "latch",
  title: "Latching a class for 100 steps, with and without skip connections",
  source: {
    authors: "Lin, Horne, Tiňo & Giles",
    year: 1996,
    title: "Learning long-term dependencies in NARX recurrent neural networks",
    where: "the latching problem, which is Bengio, Simard & Frasconi's of 1994",
    link: "doi:10.1109/72.548162",
  },
  notes:
    "The networks differ in nothing but the delays of their recurrent connections: 8 units, all weights uniform in [-1/2, 1/2), gradient " +
    "descent with learning rate .1, each component of the gradient held in [-.1, .1], batches of 32; .5 is chance. With orthogonal starting " +
    "weights and Adam, 8 units with delay 1 learn it, too.",
  figures: {
    skipping: { name: "accuracy with delays 1 and 10", derived: 1, aim: { from: 0.99 } },
    plain: { name: "accuracy with delay 1 alone", derived: 0.5, aim: { below: 0.9 } },
  },
  error: "cross-entropy of both networks, in nats",
  cells: ["skip-elman"],
  async *run({ seed, effort }) {
    const [plainKey, skippingKey, dataKey, testKey] = splitKey(randomKey(seed), 4);
    // The two share nothing, so that learning both at once is learning each by itself.
    const { params } = yield* learn({
      params: { plain: uniformWeights(plainKey, plain), skipping: uniformWeights(skippingKey, skipping) },
      loss: (learnt, batch: LatchBatch) =>
        add(lossOf(plain, learnt.plain, batch), lossOf(skipping, learnt.skipping, batch)),
      batch: compile((key: Tensor) => latch(key, LENGTH, BATCH)),
      key: dataKey,
      updates: effort * UPDATES,
      optimizer: sgd({ learningRate: 0.1 }),
      transforms: [clipByValue(0.1)],
    });
    const test = latch(testKey, LENGTH, TESTED);
    return { skipping: accuracy(skipping, params.skipping, test), plain: accuracy(plain, params.plain, test) };
  },
};

/** All weights and biases uniform in [-½, ½). */
function uniformWeights<P extends TensorTree>(key: Tensor, { init }: Network<P>): NetworkParams<P> {
  let count = 0;
  return mapTensors(({ shape }) => uniformInit(0.5)(foldIn(key, count++), shape), init(key));
}

const lossOf = <P extends TensorTree>({ last }: Network<P>, params: NetworkParams<P>, { xs, classes }: LatchBatch) =>
  averageLoss(crossEntropy(last(params, xs), classes));

const accuracy = <P extends TensorTree>({ last }: Network<P>, params: NetworkParams<P>, { xs, classes }: LatchBatch) =>
  toNumber(mean(cast(equal(argmax(last(params, xs)), classes), "float32")));
