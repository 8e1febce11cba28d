/** How gradients flow through time: what every step of a sequence does to what comes back through it. */

import { OptionError, requireInteger, requireKnownKeys } from "../../core/index.js";
import { expandDims, identity, randomKey, slice } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { scan } from "../../scan/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import type { SequenceProblem } from "../methods/method.js";
import { carryLayout, takeStep } from "../methods/one-step.js";
import { sequencesIn, timeOf } from "../methods/windows.js";
import { multiplyMatrices, type SquareMatrix, spectralNorm } from "./matrices.js";

/** What to look at. */
export interface GradientFlowOptions<Carry extends TensorTree> {
  /** The carry before the first step. @default the problem's initial carry */
  readonly carry?: Carry;
  /** Which sequence of the batch. @default 0 */
  readonly sequence?: number;
}

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
   * Largest Lyapunov exponent, in nats a step:  λ = (1/T) Σ log ‖D_t v_{t-1}‖,  v_t = D_t v_{t-1} / ‖·‖. Above 0, small differences grow;
   * -Infinity if they are gone altogether at some step.
   */
  readonly lyapunovExponent: number;
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
  options: GradientFlowOptions<Carry> = {},
): GradientFlow {
  requireKnownKeys("gradientFlow", options, ["carry", "sequence"]);
  const { carry: start = problem.initialCarry(batch), sequence = 0 } = options;
  requireInteger("gradientFlow", "sequence", sequence, 0);
  if (sequence >= sequencesIn(batch))
    throw new OptionError(`gradientFlow: there is no sequence ${sequence}; the batch has ${sequencesIn(batch)}`);
  const steps = timeOf(batch);
  const one = mapTensors((leaf) => slice(leaf, 1, sequence, sequence + 1), batch);
  const carry = mapTensors((leaf) => slice(leaf, 0, sequence, sequence + 1), start);
  const { jacobians, pulls } = compile(derivatives(problem))(params, carry, one);

  const size = jacobians.shape[1] as number;
  const matrices = Array.from({ length: steps }, (_, t) => ({
    size,
    data: Float64Array.from(jacobians.data.subarray(t * size * size, (t + 1) * size * size)),
  }));
  return {
    steps,
    jacobians: matrices,
    gradientNorms: backward(matrices, pulls),
    jacobianNorm: (from, to) => {
      requireInteger("gradientFlow", "from", from, 0);
      requireInteger("gradientFlow", "to", to, from);
      if (to > steps) throw new OptionError(`gradientFlow: there is no step ${to}; the sequence has ${steps}`);
      return spectralNorm(matrices.slice(from, to).reduce((before, D) => multiplyMatrices(D, before), unit(size)));
    },
    lyapunovExponent: lyapunov(matrices),
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
function backward(jacobians: readonly SquareMatrix[], pulls: Tensor): number[] {
  const units = pulls.shape[1] as number;
  let delta = new Float64Array(units);
  const norms: number[] = [];
  for (let t = jacobians.length - 1; t >= 0; t--) {
    const { data } = jacobians[t] as SquareMatrix;
    const next = Float64Array.from(pulls.data.subarray(t * units, (t + 1) * units));
    for (let to = 0; to < units; to++) {
      for (let from = 0; from < units; from++) {
        next[from] = (next[from] as number) + (data[to * units + from] as number) * (delta[to] as number);
      }
    }
    delta = next;
    norms.unshift(Math.hypot(...delta));
  }
  return norms;
}

const unit = (size: number): SquareMatrix => ({
  size,
  data: new Float64Array(size * size).map((_, place) => (place % (size + 1) === 0 ? 1 : 0)),
});

function lyapunov(jacobians: readonly SquareMatrix[]): number {
  const size = jacobians[0]?.size ?? 0;
  let direction = Float64Array.from({ length: size }, (_, k) => (((k + 1) * 0.6180339887498949) % 1) - 0.5);
  let growth = -Math.log(Math.hypot(...direction));
  // The first stretch is that of the direction's own length: log ‖D v‖ - log ‖v‖.
  for (const { data } of jacobians) {
    const next = new Float64Array(size);
    for (let to = 0; to < size; to++) {
      for (let from = 0; from < size; from++) {
        next[to] = (next[to] as number) + (data[to * size + from] as number) * (direction[from] as number);
      }
    }
    const length = Math.hypot(...next);
    growth += Math.log(length);
    if (length === 0) return Number.NEGATIVE_INFINITY;
    direction = next.map((value) => value / length);
  }
  return growth / jacobians.length;
}
