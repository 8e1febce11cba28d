/** Gradient descent on one sequence: one update after it, or one after each of its steps. */

import type { LearningMethod, SequenceProblem } from "../../learn/index.js";
import { expandDims, fill, multiply, randomKey, slice, squeeze, subtract } from "../../ops/index.js";
import { scan } from "../../scan/index.js";
import { type FloatDType, mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import { valueAndGrad } from "../../transforms/index.js";
import { type ErrorFunction, squaredError } from "./errors.js";
import type { Network } from "./network.js";

/** New parameters, and the answers of those before, for inputs `[time, 1, inputSize]` and targets `[answers, outputSize]`. */
export type Update<Params extends TensorTree> = (
  params: Params,
  xs: Tensor,
  targets: Tensor,
) => readonly [params: Params, answers: Tensor];

/** θ' = θ - α ∂E/∂θ */
const descend = <Params extends TensorTree>(params: Params, gradient: Params, learningRate: number): Params =>
  mapTensors((weights, slope) => subtract(weights, multiply(slope, learningRate)), params, gradient);

/** One update after the sequence, by the derivative of the network as it is written: exact, unless the cell truncates it. */
export function afterSequence<Params extends TensorTree>(
  { apply }: Network<Params>,
  learningRate: number,
  error: ErrorFunction = squaredError,
): Update<Params> {
  return (params, xs, targets) => {
    const { gradient, extra } = valueAndGrad((point: Params) => {
      const answered = apply(point, xs);
      return [error(answered, targets), answered.answers] as const;
    })(params);
    return [descend(params, gradient, learningRate), extra];
  };
}

/** An update after each step, by a method that goes forward in time. The network has to answer at each step. */
export function afterEachStep<Params extends TensorTree>(
  { apply, initialCarry }: Network<Params>,
  learningRate: number,
  method: LearningMethod,
  error: ErrorFunction = squaredError,
): Update<Params> {
  type Step = { readonly x: Tensor; readonly target: Tensor };
  const problem: SequenceProblem<Params, TensorTree, Step> = {
    initialCarry: ({ x }) => initialCarry(x.dtype as FloatDType),
    loss: (params, before, { x, target }) => {
      const answered = apply(params, x, before);
      const total = error(answered, squeeze(target, 1));
      return { loss: { total, count: fill([], 1, x.dtype) }, carry: answered.carry };
    },
  };
  const key = randomKey(0);
  return (params, xs, targets) => {
    const steps: Step = { x: expandDims(xs, 1), target: expandDims(expandDims(targets, 1), 1) };
    const first = mapTensors((all) => squeeze(slice(all, 0, 0, 1), 0), steps);
    const start = { params, memory: method.init(problem, first, params), carry: initialCarry(xs.dtype as FloatDType) };
    const [end, answers] = scan(
      (before: typeof start, step: Step) => {
        const { gradient, state } = method.step(problem, before.params, before.memory, step, key);
        const now = apply(before.params, step.x, before.carry);
        const next = { params: descend(before.params, gradient, learningRate), memory: state, carry: now.carry };
        return [next, squeeze(now.answers, 0)];
      },
      start,
      steps,
    );
    return [end.params, answers];
  };
}
