/** Random weight guessing: no learning at all. */

import { randomKey } from "../../ops/index.js";
import { type TensorTree, tensorsByPath } from "../../tensor/index.js";
import { type Learner, learner } from "./learner.js";
import type { Network } from "./network.js";
import type { RandomSource } from "./random-source.js";
import { largestError } from "./sequence.js";

/** How weights are drawn, and when. */
export interface GuessOptions {
  readonly random: RandomSource;
  /** Weights are uniform in ±range. */
  readonly range: number;
  /** An answer is wrong if an output is off by more than this. */
  readonly tolerance: number;
}

/**
 * Keeps its weights as long as it answers correctly, and draws all of them anew after a wrong answer.
 * @see Schmidhuber & Hochreiter 1996, Guessing can outperform many long time lag algorithms, technical note IDSIA-19-96
 */
export function guesser<Params extends TensorTree>(
  network: Network<Params>,
  { random, range, tolerance }: GuessOptions,
): Learner<Params> {
  const own = learner(network, network.init(randomKey(0)), (params, xs) => [params, network.apply(params, xs).answers]);
  const weights = tensorsByPath(own.params).map(([, { data }]) => data);
  const draw = () => {
    for (const data of weights) for (let k = 0; k < data.length; k++) data[k] = range * (2 * random.uniform() - 1);
  };
  draw();
  return {
    ...own,
    learn: (sequence) => {
      const answers = own.answer(sequence);
      if (largestError(answers, sequence) > tolerance) draw();
      return answers;
    },
  };
}
