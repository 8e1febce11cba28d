/** Keeping gradients alive through time, by a term of the loss. */

import { requireKnownKeys, requireNumber } from "../../core/index.js";
import {
  add,
  divide,
  expandDims,
  foldIn,
  greater,
  logicalAnd,
  mean,
  multiply,
  ones,
  pad,
  range,
  reshape,
  select,
  slice,
  sqrt,
  square,
  stopGradient,
  subtract,
  sum,
  zeros,
} from "../../ops/index.js";
import { scan } from "../../scan/index.js";
import { isFloat, mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";
import { vjp } from "../../transforms/index.js";
import type { SequenceProblem } from "../methods/method.js";
import { timeOf } from "../methods/windows.js";

/** How much, and how exactly. */
export interface JacobianNormOptions {
  /** Weight of the term, above 0. */
  readonly weight: number;
  /**
   * Whether carries count as constants, so that only what a step itself does is changed: the approximation of the source, and
   * cheaper. Otherwise the term is differentiated through all steps before, too. @default true
   */
  readonly immediate?: boolean;
}

/**
 * The problem with a term that asks every step to hand back as much gradient as it was given:
 *
 *   Ω = Σ_t ( ‖δ_tᵀ ∂c_t/∂c_{t-1}‖ / ‖δ_t‖ - 1 )²          δ_t = ∂L/∂c_t, held constant          loss + weight Ω
 *
 * averaged over the sequences of a batch; steps that no gradient comes back to (δ_t = 0), or passes (a restart), do not count. Only where it is learnt: without a
 * key (evaluation) the loss is as it was. Costs one more pass forward and backward, and the derivative of that.
 * @throws OptionError if `weight` is not above 0
 * @see Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, equations 9 and 10
 */
export function withJacobianNorm<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  problem: SequenceProblem<Params, Carry, Batch>,
  options: JacobianNormOptions,
): SequenceProblem<Params, Carry, Batch> {
  requireKnownKeys("withJacobianNorm", options, ["weight", "immediate"]);
  const { weight, immediate = true } = options;
  requireNumber("withJacobianNorm", "weight", weight, { above: 0 });
  return {
    initialCarry: (batch) => problem.initialCarry(batch),
    loss: (params, carry, batch, key) => {
      const { loss, carry: after } = problem.loss(params, carry, batch, key);
      if (key === undefined) return { loss, carry: after };
      const steps = stepsOf(problem, batch, key);
      const delta = gradientsOfCarries(steps, mapTensors(stopGradient, params), mapTensors(stopGradient, carry), batch);
      const term = stretch(steps, params, carry, delta, immediate);
      const total = add(loss.total, multiply(multiply(term, weight), stopGradient(loss.count)));
      return { loss: { total, count: loss.count }, carry: after };
    },
  };
}

/** The steps of a window, one by one. */
interface Steps<Params extends TensorTree, Carry extends TensorTree> {
  readonly slices: TensorTree;
  step(params: Params, carry: Carry, slice: TensorTree): { readonly total: Tensor; readonly carry: Carry };
}

function stepsOf<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  problem: SequenceProblem<Params, Carry, Batch>,
  batch: Batch,
  key: Tensor,
): Steps<Params, Carry> {
  type Slice = { readonly batch: Batch; readonly index: Tensor };
  return {
    slices: { batch, index: range(timeOf(batch)) },
    step: (params, carry, slice) => {
      const { batch: one, index } = slice as Slice;
      const window = mapTensors((leaf) => expandDims(leaf, 0), one);
      const { loss, carry: after } = problem.loss(params, carry, window, foldIn(key, index));
      return { total: loss.total, carry: after };
    },
  };
}

/** ∂L/∂c_t for t = 0 ... T - 1, tensors `[time, ...]` like those of the carry: by what a shift of c_t would do to the loss. */
function gradientsOfCarries<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  { slices, step }: Steps<Params, Carry>,
  params: Params,
  carry: Carry,
  batch: Batch,
): Carry {
  const time = timeOf(batch);
  const none = mapTensors(({ shape, dtype }) => zeros([time, ...shape], dtype), carry);
  const total = (shifts: Carry): Tensor => {
    const [, losses] = scan(
      (before: Carry, { shift, slice: one }: { shift: Carry; slice: TensorTree }) => {
        const result = step(params, mapTensors(add, before, shift), one);
        return [result.carry, result.total];
      },
      carry,
      { shift: shifts, slice: slices },
    );
    return sum(losses);
  };
  const { value, pullback } = vjp(total, none);
  const [gradients] = pullback(ones([], value.dtype));
  return mapTensors(stopGradient, gradients);
}

/** Ω, averaged over the sequences. */
function stretch<Params extends TensorTree, Carry extends TensorTree>(
  { slices, step }: Steps<Params, Carry>,
  params: Params,
  carry: Carry,
  gradients: Carry,
  immediate: boolean,
): Tensor {
  // δ of the carry after step t is that of the carry before step t + 1; after the last step there is none.
  const after = mapTensors((leaf) => slice(pad(leaf, 0, 0, 1), 0, 1), gradients);
  const [, terms] = scan(
    (before: Carry, { delta, slice: one }: { delta: Carry; slice: TensorTree }) => {
      const from = immediate ? mapTensors(stopGradient, before) : before;
      const { value, pullback } = vjp((at: Carry) => step(params, at, one).carry, from);
      const [back] = pullback(delta);
      const [given, handed] = [squaredNorms(delta), squaredNorms(back)];
      const counts = logicalAnd(greater(given, 0), greater(handed, 0));
      const ratio = sqrt(select(counts, divide(handed, select(counts, given, 1)), 1));
      return [value, square(subtract(ratio, 1))];
    },
    carry,
    { delta: after, slice: slices },
  );
  return sum(mean(terms, { axes: -1 }));
}

/** Σ over all floats of a carry, for each sequence: `[batch]`. */
const squaredNorms = (carry: TensorTree): Tensor =>
  tensorsByPath(carry)
    .filter(([, { dtype }]) => isFloat(dtype))
    .map(([, leaf]) => sum(square(reshape(leaf, [leaf.shape[0] as number, -1])), { axes: -1 }))
    .reduce((total, part) => add(total, part));
