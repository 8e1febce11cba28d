/** Learning from batches that are drawn anew for each update, the way most of the experiments do. */

import { adam, type GradientTransform, type Optimizer, type SequenceProblem } from "../learn/index.js";
import { fill, foldIn } from "../ops/index.js";
import type { Tensor, TensorTree } from "../tensor/index.js";
import { initialState, train } from "../train/index.js";
import type { Progress } from "./experiment.js";

/** What is learnt, from what, and for how long. */
export interface LearnProblemOptions<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree> {
  readonly params: Params;
  readonly problem: SequenceProblem<Params, Carry, Batch>;
  /** A batch for each key. */
  readonly batch: (key: Tensor) => Batch;
  readonly key: Tensor;
  /** Rounded up to a whole number. */
  readonly updates: number;
  /** @default adam() */
  readonly optimizer?: Optimizer;
  /** @default none */
  readonly transforms?: readonly GradientTransform[];
  /** Ends learning; asked at each point of the learning curve. Keep nothing of the parameters: the next update overwrites them. */
  readonly solved?: (params: Params) => boolean;
}

/** What is learnt if nothing but the loss of whole sequences is asked for. */
export interface LearnOptions<Params extends TensorTree, Batch extends TensorTree>
  extends Omit<LearnProblemOptions<Params, readonly [], Batch>, "problem"> {
  /** The loss of a batch, one number. */
  readonly loss: (params: Params, batch: Batch) => Tensor;
}

/** What was learnt, after how many updates. */
export interface Learnt<Params extends TensorTree> {
  readonly params: Params;
  readonly updates: number;
}

/** Points of a learning curve. */
const POINTS = 100;

/** As `learnProblem`, for a loss that is not taken apart into steps. */
export const learn = <Params extends TensorTree, Batch extends TensorTree>({
  loss,
  ...options
}: LearnOptions<Params, Batch>): AsyncGenerator<Progress, Learnt<Params>> =>
  learnProblem({
    ...options,
    problem: {
      initialCarry: () => [] as const,
      loss: (params, carry, batch) => ({ loss: { total: loss(params, batch), count: fill([], 1) }, carry }),
    },
  });

/** Learns by backpropagation through time, up to the last update, or until the problem is solved. The error of the progress is the loss, averaged over updates. */
export async function* learnProblem<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  options: LearnProblemOptions<Params, Carry, Batch>,
): AsyncGenerator<Progress, Learnt<Params>> {
  const { problem, key, optimizer = adam(), transforms = [], solved } = options;
  const steps = Math.ceil(options.updates);
  const batch = (update: number) => options.batch(foldIn(key, update));
  const state = initialState({ problem, optimizer, batch, params: options.params, key });
  let learnt: Learnt<Params> = { params: state.params, updates: 0 };
  for await (const report of train({ problem, state, optimizer, transforms, batch, steps })) {
    learnt = { params: report.state.params, updates: report.step };
    if (report.step % Math.ceil(steps / POINTS) !== 0 && report.step !== steps) continue;
    yield { done: report.step / steps, error: report.averageLoss };
    if (solved?.(learnt.params)) break;
  }
  return learnt;
}
