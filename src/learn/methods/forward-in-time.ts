/** What methods share that go forward in time: they carry along what they must know of the past, and never look back. */

import { flattenTree, unflattenTree } from "../../core/index.js";
import type { LossSum } from "../../nn/index.js";
import { add, divide, expandDims, foldIn, maximum, range, squeeze, stack, sum, zeros } from "../../ops/index.js";
import { scan } from "../../scan/index.js";
import { isTensor, mapTensors, type Tensor, type TensorTree, type TensorType } from "../../tensor/index.js";
import type { LearningMethod, SequenceProblem } from "./method.js";
import { type CarryLayout, carryLayout, type OneStep, type StopsAt, takeStep } from "./one-step.js";
import { findStructure, type StepStructure } from "./structure.js";
import { requireWindows, sequencesIn, swapTimeAndBatch, timeOf } from "./windows.js";

/** What a rule can know before the first step: the carry of one sequence, and the parameters. */
export interface Setting {
  readonly layout: CarryLayout;
  /** Types of the tensors of the parameters, in order. */
  readonly params: readonly TensorType[];
  /** Where the derivatives of a step are not zero. */
  readonly structure: () => StepStructure;
}

/** How a method keeps what the parameters have done to the carry so far, ∂c/∂θ: exactly, or nearly. */
export interface Influence<Memory extends TensorTree> {
  /** Memory of one sequence before its first step. */
  readonly start: Memory;
  /** vᵀ ∂c_{t-1}/∂θ for each tensor of the parameters, as the memory has it, for v `[units]`; undefined where it is zero. */
  recall(memory: Memory, vector: Tensor): readonly (Tensor | undefined)[];
  /** Memory after a step. @param key for whatever is random */
  advance(memory: Memory, step: OneStep, key: Tensor): Memory;
}

/** A method that goes forward in time. */
export interface ForwardRule<Memory extends TensorTree> {
  readonly name: string;
  /** Where the derivatives of a step stop. Default: nowhere. */
  readonly stops?: StopsAt;
  /** How it keeps the influence, for one problem. */
  influence(setting: Setting): Influence<Memory>;
}

/**
 * The method of a rule: every sequence by itself, step by step; the gradients of all steps are added up.
 *
 *   dL_t/dθ = ∂L_t/∂θ + (∂L_t/∂c_{t-1})ᵀ ∂c_{t-1}/∂θ
 *
 * Batches are windows of streams that follow each other, as for `truncatedBptt`, and one update is made for each: windows of one step
 * give an update at every step. Carry and memory enter the next window. What the memory holds of steps before an update belongs to the
 * parameters of that time: with small steps the difference is small (Williams & Zipser 1989). The compiler computes what does not depend
 * on the carry for all steps of a window at once: that memory grows with the window, never with the stream.
 */
export function forwardInTime<Memory extends TensorTree>(rule: ForwardRule<Memory>): LearningMethod {
  return {
    name: rule.name,
    init: (problem, batch, params) => {
      requireWindows(rule.name, batch);
      const carry: TensorTree = problem.initialCarry(batch);
      const { start } = rule.influence(settingOf(rule.stops, problem, { params, carry, batch }));
      const copies = sequencesIn(batch);
      return { carry, memory: mapTensors((leaf) => stack(new Array<Tensor>(copies).fill(leaf)), start as TensorTree) };
    },
    step: (problem, params, state, batch, key) => {
      requireWindows(rule.name, batch);
      const { carry, memory } = state as { carry: ReturnType<typeof problem.initialCarry>; memory: Memory };
      const setting = settingOf(rule.stops, problem, { params, carry, batch });
      const walk = { problem, params, setting, influence: rule.influence(setting), stops: rule.stops };
      const sequences = { carry, memory, batch: mapTensors(swapTimeAndBatch, batch), place: range(sequencesIn(batch)) };
      const [, each] = scan(
        (none: readonly [], one: typeof sequences) => [none, oneSequence(walk, one, foldIn(key, one.place))],
        [],
        sequences,
      );
      const loss = { total: sum(each.loss.total), count: sum(each.loss.count) };
      const gradient = each.gradient.map((leaf) => divide(sum(leaf, { axes: 0 }), maximum(loss.count, 1)));
      const { definition } = flattenTree<Tensor>(params, isTensor);
      return {
        gradient: unflattenTree<Tensor>(definition, gradient) as typeof params,
        loss,
        state: { carry: each.carry, memory: each.memory },
      };
    },
  };
}

interface Walk<
  Params extends TensorTree,
  Carry extends TensorTree,
  Batch extends TensorTree,
  Memory extends TensorTree,
> {
  readonly problem: SequenceProblem<Params, Carry, Batch>;
  readonly params: Params;
  readonly setting: Setting;
  readonly influence: Influence<Memory>;
  readonly stops: StopsAt | undefined;
}

/** What is known of one sequence between two of its steps. */
type Running<Carry extends TensorTree, Memory extends TensorTree> = {
  readonly carry: Carry;
  readonly memory: Memory;
  readonly gradient: readonly Tensor[];
  readonly loss: LossSum;
};

/** Runs over one window of one sequence. Tensors of `one.batch` are `[time, ...]`. */
function oneSequence<
  Params extends TensorTree,
  Carry extends TensorTree,
  Batch extends TensorTree,
  Memory extends TensorTree,
>(
  { problem, params, setting, influence, stops }: Walk<Params, Carry, Batch, Memory>,
  one: { readonly carry: Carry; readonly memory: Memory; readonly batch: Batch },
  key: Tensor,
): Running<Carry, Memory> {
  const { layout } = setting;
  const start: Running<Carry, Memory> = {
    carry: withAxis(one.carry),
    memory: one.memory,
    gradient: setting.params.map(({ shape, dtype }) => zeros(shape, dtype)),
    loss: { total: zeros([], layout.dtype), count: zeros([], layout.dtype) },
  };
  const [end] = scan(
    ({ carry, memory, gradient, loss }: typeof start, { batch, index }: { batch: Batch; index: Tensor }) => {
      const stepKey = foldIn(key, index);
      const step = takeStep(problem, params, carry, withAxis(withAxis(batch)), stepKey, layout, stops);
      const now = step.lossGradient();
      const past = influence.recall(memory, now.carry);
      const next: typeof start = {
        carry: step.carry as Carry,
        memory: influence.advance(memory, step, stepKey),
        gradient: gradient.map((total, k) =>
          [now.params[k], past[k]].reduce<Tensor>((sum, part) => (part ? add(sum, part) : sum), total),
        ),
        loss: { total: add(loss.total, step.loss.total), count: add(loss.count, step.loss.count) },
      };
      return [next, []];
    },
    start,
    { batch: one.batch, index: range(timeOf(one.batch)) },
  );
  return { ...end, carry: mapTensors((leaf) => squeeze(leaf, 0), end.carry) };
}

const withAxis = <T extends TensorTree>(tree: T): T => mapTensors((leaf) => expandDims(leaf, 0), tree);

function settingOf<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  stops: StopsAt | undefined,
  problem: SequenceProblem<Params, Carry, Batch>,
  given: { readonly params: Params; readonly carry: Carry; readonly batch: Batch },
): Setting {
  const carry = mapTensors(({ dtype, shape }) => zeros([1, ...shape.slice(1)], dtype), given.carry);
  const batch = mapTensors(({ dtype, shape }) => zeros([1, 1, ...shape.slice(2)], dtype), given.batch);
  const layout = carryLayout(carry);
  return {
    layout,
    params: flattenTree<Tensor>(given.params, isTensor).leaves.map(({ dtype, shape }) => ({ dtype, shape })),
    structure: () => findStructure(problem, { params: given.params, carry, batch }, layout, stops ?? (() => false)),
  };
}
