/** Slot filling, and why it takes a memory: a network that sees one word at a time against a recurrent one. */

import { adam } from "../learn/index.js";
import { averageLoss, crossEntropy, elman, recurrent } from "../nn/index.js";
import { add, argmax, cast, equal, mean, oneHot, randomKey, splitKey, sum } from "../ops/index.js";
import { type Tensor, type TensorTree, toNumber } from "../tensor/index.js";
import { CITY_PLACE, FLIGHT_SLOTS, FLIGHT_WORDS, flights } from "./data/flights.js";
import type { Experiment } from "./experiment.js";
import { learn } from "./learn.js";
import { memoryless } from "./memoryless.js";
import { type Network, type NetworkParams, network } from "./network.js";

const UPDATES = 300;
const SIZES = { inputSize: FLIGHT_WORDS.length, hiddenSize: 16 };

/** In `arrive Taipei` the city is where one goes, in `leave Taipei` where one comes from: a word alone does not tell. */
export const windowBaseline: Experiment = {
  id: "window-baseline",
  title: "Slot filling without and with a memory",
  source: {
    authors: "Mesnil, He, Deng & Bengio",
    year: 2013,
    title:
      "Investigation of recurrent-neural-network architectures and learning methods for spoken language understanding",
    where: "the task; the example of arriving in and leaving Taipei is H.-Y. Lee's, from his lectures",
  },
  notes:
    "Both networks are the same but for the recurrent weights. They are tested on pairs of city and day that they have not seen, each with " +
    "both verbs, so that .5 is chance, and all that a network can reach that sees one word.",
  figures: {
    window: { name: "accuracy on the city, window of one word", derived: 0.5, aim: { from: 0.5, to: 0.5 } },
    elman: { name: "accuracy on the city, Elman network", derived: 1, aim: { from: 1 } },
    others: { name: "accuracy on the other words, window of one word", derived: 1, aim: { from: 1 } },
  },
  error: "cross-entropy of both networks, in nats",
  cells: ["elman"],
  async *run({ seed, effort }) {
    const { training, test } = flights();
    const [windowKey, elmanKey, key] = splitKey(randomKey(seed), 3);
    const window = network(recurrent(memoryless(SIZES)), FLIGHT_SLOTS.length);
    const withMemory = network(recurrent(elman(SIZES)), FLIGHT_SLOTS.length);

    // The two share nothing, so that learning both at once is learning each by itself.
    const { params } = yield* learn({
      params: { window: window.init(windowKey), elman: withMemory.init(elmanKey) },
      loss: (learnt, { words, slots }) =>
        add(lossOf(window, learnt.window, words, slots), lossOf(withMemory, learnt.elman, words, slots)),
      batch: () => training,
      key,
      updates: effort * UPDATES,
      optimizer: adam({ learningRate: 0.02 }),
    });

    const seen = accuracies(window.outputs(params.window, vectors(test.words)), test.slots);
    const remembered = accuracies(withMemory.outputs(params.elman, vectors(test.words)), test.slots);
    return { window: seen.city, elman: remembered.city, others: seen.others };
  },
};

const vectors = (words: Tensor): Tensor => oneHot(words, FLIGHT_WORDS.length);

const lossOf = <Params extends TensorTree>(
  { outputs }: Network<Params>,
  params: NetworkParams<Params>,
  words: Tensor,
  slots: Tensor,
): Tensor => averageLoss(crossEntropy(outputs(params, vectors(words)), slots));

/** Part of right answers at the city, and at the other words. @param scores `[time, batch, slots]` */
function accuracies(scores: Tensor, slots: Tensor): { readonly city: number; readonly others: number } {
  const right = mean(cast(equal(argmax(scores), slots), "float32"), { axes: 1 });
  const [city, all] = [right.data[CITY_PLACE] as number, toNumber(sum(right))];
  return { city, others: (all - city) / ((right.shape[0] as number) - 1) };
}
