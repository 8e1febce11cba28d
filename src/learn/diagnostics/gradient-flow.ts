/** How gradients flow through time: what every step of a sequence does to what comes back through it. */

import { OptionError, requireInteger } from "../../core/index.js";
import { expandDims, identity, randomKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { scan } from "../../scan/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import type { SequenceProblem } from "../methods/method.js";
import { carryLayout, takeStep } from "../methods/one-step.js";
import { timeOf } from "../methods/windows.js";
import { normsBetween } from "./jacobian-norms.js";
import { multiplyMatrices, type SquareMatrix, spectralNorm } from "./matrices.js";
import { type OneSequenceOptions, oneSequence } from "./one-sequence.js";

/** The flow of gradients through T steps of one sequence. Carries c_0 (before the first step) to c_T are vectors of all their floats. */
export interface GradientFlow {
  readonly steps: number;
  /** D_t = ∂c_t/∂c_{t-1} for t = 1 ... T: entry t - 1. */
  readonly jacobians: readonly SquareMatrix[];
  /** ‖∂L/∂c_t‖ for t = 0 ... T - 1, of the summed loss of all steps: how much of it comes back to each step. Euclidean. */
  readonly gradientNorms: readonly number[];
  /**
   * ‖∂c_to/∂c_from‖, the spectral norm: above 1 gradients can explode on this stretch, far below 1 they vanish.
   * @throws OptionError unless 0 <= from <= to <= steps
   */
  jacobianNorm(from: number, to: number): number;
  /**
   * The same for all pairs at once, from below, within some percent: entry [to][from], for `from` up to `to`. Much faster than one by one; time
   * O(steps² n³), for n numbers of the carry.
   */
  jacobianNorms(): number[][];
  /** ‖∂L_to/∂c_from‖, of each step's own loss: what comes back from it to the carry after step `from`. Entry [to][from], for `from` below `to`. */
  lossGradientNorms(): number[][];
}

/**
 * Follows a sequence and looks at the derivatives of every step. For any cell, in time O(n) passes through each step, for n numbers of the carry.
 * @param batch one window, every tensor `[time, batch, ...]`
 * @throws OptionError if there is no such sequence
 * @see Hochreiter 1991; Bengio, Simard & Frasconi 1994, doi:10.1109/72.279181; Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063
 * @example gradientFlow(problem, params, batch).gradientNorms // how far back the loss reaches
 */
export function gradientFlow<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  problem: SequenceProblem<Params, Carry, Batch>,
  params: Params,
  batch: Batch,
  options: OneSequenceOptions<Carry> = {},
): GradientFlow {
  const one = oneSequence("gradientFlow", problem, batch, options);
  const steps = timeOf(one.batch);
  const { jacobians, pulls } = compile(derivatives(problem))(params, one.carry, one.batch);

  const size = jacobians.shape[1] as number;
  const matrices = Array.from({ length: steps }, (_, t) => ({
    size,
    data: Float64Array.from(jacobians.data.subarray(t * size * size, (t + 1) * size * size)),
  }));
  const pullOf = (step: number) => Float64Array.from(pulls.data.subarray((step - 1) * size, step * size));
  return {
    steps,
    jacobians: matrices,
    gradientNorms: gradientNorms(matrices, pullOf),
    jacobianNorm: (from, to) => {
      requireInteger("gradientFlow", "from", from, 0);
      requireInteger("gradientFlow", "to", to, from);
      if (to > steps) throw new OptionError(`gradientFlow: there is no step ${to}; the sequence has ${steps}`);
      return spectralNorm(matrices.slice(from, to).reduce((before, D) => multiplyMatrices(D, before), unit(size)));
    },
    jacobianNorms: () => normsBetween(jacobians),
    lossGradientNorms: () =>
      Array.from({ length: steps + 1 }, (_, to) => {
        const norms = new Array<number>(to);
        let delta: Float64Array = new Float64Array(size);
        for (let from = to - 1; from >= 0; from--) {
          delta = from === to - 1 ? pullOf(to) : backThrough(matrices[from] as SquareMatrix, delta);
          norms[from] = Math.hypot(...delta);
        }
        return norms;
      }),
  };
}

/** D_t `[time, units, units]`, and ∂L_t/∂c_{t-1} of each step's own loss `[time, units]`. */
const derivatives =
  <Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
    problem: SequenceProblem<Params, Carry, Batch>,
  ) =>
  (params: Params, carry: Carry, batch: Batch): { readonly jacobians: Tensor; readonly pulls: Tensor } => {
    const layout = carryLayout(carry);
    const [, each] = scan(
      (before: Carry, slice: Batch) => {
        const window = mapTensors((leaf) => expandDims(leaf, 0), slice);
        const step = takeStep(problem, params, before, window, randomKey(0), layout);
        const rows = (none: readonly [], seed: Tensor) => [none, step.pullback(seed).carry] as const;
        const [, jacobians] = scan(rows, [], identity(layout.units, layout.dtype));
        return [step.carry as Carry, { jacobians, pulls: step.lossGradient().carry }];
      },
      carry,
      batch,
    );
    return each;
  };

/** δ_{t-1} = D_tᵀ δ_t + ∂L_t/∂c_{t-1}, from δ_T = 0: norms of δ_0 ... δ_{T-1}. */
function gradientNorms(jacobians: readonly SquareMatrix[], pullOf: (step: number) => Float64Array): number[] {
  const norms: number[] = [];
  let delta: Float64Array = new Float64Array(jacobians[0]?.size ?? 0);
  for (let t = jacobians.length; t > 0; t--) {
    const own = pullOf(t);
    delta = backThrough(jacobians[t - 1] as SquareMatrix, delta).map((value, unit) => value + (own[unit] as number));
    norms.unshift(Math.hypot(...delta));
  }
  return norms;
}

/** Dᵀ δ */
function backThrough({ size, data }: SquareMatrix, delta: Float64Array): Float64Array {
  const before = new Float64Array(size);
  for (let to = 0; to < size; to++) {
    const factor = delta[to] as number;
    for (let from = 0; from < size; from++) (before[from] as number) += factor * (data[to * size + from] as number);
  }
  return before;
}

const unit = (size: number): SquareMatrix => ({
  size,
  data: new Float64Array(size * size).map((_, place) => (place % (size + 1) === 0 ? 1 : 0)),
});
