/** The public loop through time. */

import {
  definitionKey,
  type FlatTree,
  flattenTree,
  OptionError,
  requireInteger,
  requireKnownKeys,
  ShapeError,
  sameDefinition,
  type TreeDefinition,
  unflattenTree,
} from "../core/index.js";
import { trace } from "../program/index.js";
import { formatType, isTensor, sameType, type Tensor, type TensorTree } from "../tensor/index.js";
import { maskTree, paddingMask, requireMask, selectTree } from "./mask.js";
import { type ScanParams, stepType } from "./params.js";
import { applyScan } from "./primitive.js";
import { scanInSegments } from "./segments.js";

/** How a scan runs. */
export interface ScanOptions<Carry extends TensorTree> {
  /** Number of steps; needed only when there are no sequences. */
  readonly length?: number;
  /** From the last slice to the first; results stay at the place of their slice. Default false. */
  readonly reverse?: boolean;
  /**
   * int32 `[time, batch]`, 1 = real, 0 = padding: the carry passes a padded step unchanged, its result is 0. The step still
   * runs on padding, so inputs there should be finite: in a gradient, 0 · NaN is NaN. (Recurrent layers see to that.)
   */
  readonly mask?: Tensor;
  /** int32 `[batch]`: number of real steps of each sequence, in [0, time]. The same as a mask that is 1 up to there. */
  readonly sequenceLengths?: Tensor;
  /** int32 `[time, batch]`: 1 restarts that row before that step, from `resetCarry`. */
  readonly resetMask?: Tensor;
  /** The carry that `resetMask` restarts from. Default: the initial carry. */
  readonly resetCarry?: Carry;
  /**
   * Steps of a segment, at least 1. For gradients, only the carries between segments are kept, and the steps of a segment are
   * computed again on the way back: memory for `time / checkpoint` carries and the residuals of `checkpoint` steps (least
   * near √time), for one more run forward. Default: all residuals are kept.
   */
  readonly checkpoint?: number;
}

const OPTION_NAMES = ["length", "reverse", "mask", "sequenceLengths", "resetMask", "resetCarry", "checkpoint"] as const;

/** One step: the next carry (same tree, shapes and types) and a result. */
export type ScanStep<Carry extends TensorTree, X extends TensorTree, Y extends TensorTree> = (
  carry: Carry,
  x: X,
) => readonly [carry: Carry, result: Y];

/**
 * Runs a step over the first axis of all tensors of `xs`, handing the carry on.
 *
 *     let carry = initial, ys = [];
 *     for (let t = 0; t < time; t++) { [carry, ys[t]] = step(carry, xs[t]); }
 *     return [carry, stack(ys)];
 *
 * Differs from that loop: the step is traced once, whatever the number of steps; its gradient is a second scan,
 * backwards; tensors it uses from outside are handed in as constants, and get gradients too. `time` may be 0.
 * @param xs tensors `[time, ...]`, a tree of any form (an empty record for none)
 * @returns the last carry, and the results stacked along a new first axis
 * @throws ShapeError naming the component of the carry that changed its type
 * @example const [last, sums] = scan((total, x) => [add(total, x), add(total, x)], zeros([]), tensor([1, 2, 3]));
 */
export function scan<Carry extends TensorTree, X extends TensorTree, Y extends TensorTree>(
  step: ScanStep<Carry, X, Y>,
  initial: Carry,
  xs: X,
  options: ScanOptions<Carry> = {},
): [carry: Carry, results: Y] {
  requireKnownKeys("scan", options, OPTION_NAMES);
  const carry = flattenTree(initial, isTensor);
  const sequences = flattenTree(xs, isTensor);
  const length = scanLength(sequences.leaves, sequences.paths, options.length);
  const mask = paddingMask(options, length);
  const { resetMask, resetCarry = initial } = options;
  if (resetMask === undefined && options.resetCarry !== undefined) {
    throw new OptionError("scan: resetCarry has no effect without resetMask");
  }
  if (options.resetCarry !== undefined) requireResetCarry(carry, flattenTree(options.resetCarry, isTensor));
  const masks = Object.entries({ mask, resetMask }).flatMap(([name, value]) => (value ? [{ name, value }] : []));
  for (const { name, value } of masks) requireMask(name, value, length);

  let results: TreeDefinition | undefined;
  const body = (...tracers: Tensor[]): Tensor[] => {
    const take = (count: number) => tracers.splice(0, count);
    const given = unflattenTree(carry.definition, take(carry.leaves.length)) as Carry;
    const x = unflattenTree(sequences.definition, take(sequences.leaves.length)) as X;
    const maskOf = (name: string): Tensor | undefined => tracers[masks.findIndex((entry) => entry.name === name)];
    const [real, restart] = [maskOf("mask"), maskOf("resetMask")];

    const before = restart ? selectTree("resetMask", restart, resetCarry, given) : given;
    const returned = step(before, x);
    if (!Array.isArray(returned) || returned.length !== 2) {
      throw new ShapeError("scan: the step must return [carry, result]; use {} for no result");
    }
    const [next, result] = returned as [Carry, Y];
    const after = flattenTree(next, isTensor);
    requireSameCarry(carry, after);
    const kept = real ? flattenTree(selectTree("mask", real, next, before), isTensor).leaves : after.leaves;
    const shown = flattenTree(real ? maskTree("mask", real, result) : result, isTensor);
    results = shown.definition;
    return [...kept, ...shown.leaves];
  };

  const stepTypes = [...sequences.leaves, ...masks.map(({ value }) => value)].map(stepType);
  const { program, captured } = trace(body, [...carry.leaves, ...stepTypes]);
  const inputs = [...carry.leaves, ...sequences.leaves, ...masks.map(({ value }) => value), ...captured];
  const params: ScanParams = {
    body: program,
    length,
    reverse: options.reverse ?? false,
    carries: carry.leaves.length,
    slices: stepTypes.length,
  };
  const { checkpoint } = options;
  if (checkpoint !== undefined) requireInteger("scan", "checkpoint", checkpoint, 1);
  const outputs =
    checkpoint === undefined ? applyScan(inputs, params) : scanInSegments(applyScan, inputs, params, checkpoint);
  return [
    unflattenTree(carry.definition, outputs.slice(0, carry.leaves.length)) as Carry,
    unflattenTree(results as TreeDefinition, outputs.slice(carry.leaves.length)) as Y,
  ];
}

function scanLength(sequences: readonly Tensor[], paths: readonly string[], given: number | undefined): number {
  const name = (index: number) => pathIn("xs", paths[index]);
  if (given !== undefined) requireInteger("scan", "length", given, 0);
  const lengths = sequences.map((sequence, index) => {
    if (sequence.shape.length === 0)
      throw new ShapeError(`scan: ${name(index)} is ${formatType(sequence)}; it needs a time axis`);
    return sequence.shape[0] as number;
  });
  const length = given ?? lengths[0];
  if (length === undefined) throw new OptionError("scan: give the option length when there are no sequences");
  const odd = lengths.findIndex((own) => own !== length);
  if (odd >= 0) {
    throw new ShapeError(
      `scan: ${name(odd)} has ${lengths[odd]} time steps, but ${given === undefined ? name(0) : "the option length"} says ${length}`,
    );
  }
  return length;
}

const pathIn = (root: string, path: string | undefined): string => (path ? `${root}.${path}` : root);

function requireResetCarry(carry: FlatTree<Tensor>, reset: FlatTree<Tensor>): void {
  const [form, wrong] = [carry, reset].map(({ definition }) => definitionKey(definition));
  if (form !== wrong) throw new ShapeError(`scan: resetCarry has the form ${wrong}, but the carry has ${form}`);
  carry.leaves.forEach((leaf, index) => {
    const given = reset.leaves[index] as Tensor;
    if (sameType(leaf, given)) return;
    const path = carry.paths[index];
    throw new ShapeError(
      `scan: ${pathIn("resetCarry", path)} is ${formatType(given)}, but ${pathIn("carry", path)} is ${formatType(leaf)}`,
    );
  });
}

function requireSameCarry(before: FlatTree<Tensor>, after: FlatTree<Tensor>): void {
  if (!sameDefinition(before.definition, after.definition)) {
    throw new ShapeError(
      `scan: the carry changed its form from ${definitionKey(before.definition)} to ${definitionKey(after.definition)}; ` +
        "the step must return [carry, result] with a carry like the one it was given",
    );
  }
  after.leaves.forEach((leaf, index) => {
    const was = before.leaves[index] as Tensor;
    if (sameType(was, leaf)) return;
    const path = pathIn("carry", before.paths[index]);
    const remedy =
      was.dtype === leaf.dtype ? "make its shape that of the initial carry" : "cast it back inside the step";
    throw new ShapeError(`scan: ${path} changed from ${formatType(was)} to ${formatType(leaf)}; ${remedy}`);
  });
}
