/** Whether small differences grow or die out along a sequence. */

import { divide, expandDims, log, maximum, randomKey, sqrt, square, subtract, sum, uniform } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { scan } from "../../scan/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import type { SequenceProblem } from "../methods/method.js";
import { carryLayout, takeStep } from "../methods/one-step.js";
import { type OneSequenceOptions, oneSequence } from "./one-sequence.js";

/** What a difference of length 0 is divided by, so that it stays 0. */
const TINY = 1e-30;

/**
 * Largest Lyapunov exponent along a sequence, in nats a step: the mean growth of a small difference of the carry, under the given inputs.
 *
 *   λ = (1/T) Σ log ‖D_t v_{t-1}‖      v_t = D_t v_{t-1} / ‖·‖      D_t = ∂c_t/∂c_{t-1}
 *
 * Above 0, small differences grow, and gradients with them; below 0, they die out; -Infinity if they are gone altogether at some step. The
 * first steps, until v points where growth is largest, count too: take long sequences. Time of one tangent through each step.
 * @param batch one window, every tensor `[time, batch, ...]`
 * @returns NaN of a window without steps
 * @throws OptionError if there is no such sequence
 * @see Benettin et al. 1980, doi:10.1007/BF02128236; of recurrent networks: Engelken, Wolf & Abbott 2023, doi:10.1103/PhysRevResearch.5.043044
 * @example lyapunovExponent(problem, params, batch) > 0 // chaotic
 */
export function lyapunovExponent<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  problem: SequenceProblem<Params, Carry, Batch>,
  params: Params,
  batch: Batch,
  options: OneSequenceOptions<Carry> = {},
): number {
  const one = oneSequence("lyapunovExponent", problem, batch, options);
  const { data } = compile(growth(problem))(params, one.carry, one.batch);
  return Array.from(data).reduce((total, value) => total + value, 0) / data.length;
}

/** log ‖D_t v_{t-1}‖ of each step `[time]`. */
const growth =
  <Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
    problem: SequenceProblem<Params, Carry, Batch>,
  ) =>
  (params: Params, carry: Carry, batch: Batch): Tensor => {
    const layout = carryLayout(carry);
    const lengthOf = (vector: Tensor) => sqrt(sum(square(vector)));
    const any = subtract(uniform(randomKey(0), [layout.units], layout.dtype), 0.5);
    const [, logs] = scan(
      ({ before, v }: { before: Carry; v: Tensor }, slice: Batch) => {
        const window = mapTensors((leaf) => expandDims(leaf, 0), slice);
        const step = takeStep(problem, params, before, window, randomKey(0), layout);
        const pushed = step.pushCarry(v);
        const length = lengthOf(pushed);
        return [{ before: step.carry as Carry, v: divide(pushed, maximum(length, TINY)) }, log(length)];
      },
      { before: carry, v: divide(any, lengthOf(any)) },
      batch,
    );
    return logs;
  };
