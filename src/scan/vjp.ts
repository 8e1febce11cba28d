/**
 * Reverse rule of scan, which is backpropagation through time: the forward loop also returns what each step's way back
 * needs, and the cotangents run through a second scan in the opposite direction.
 *
 *   carry' , y = step(θ, carry, x)      (carrȳ, x̄) = stepᵀ(carrȳ', ȳ),   θ̄ += stepᵀ
 *
 * Residuals: what the backward step reads of a forward step. A constant is handed on as it is, a slice is read again
 * from its sequence, a result from the stacked results, all else is stacked too, `[length, ...]`. Memory O(length).
 * @see Werbos 1990, Backpropagation through time: what it does and how to do it, doi:10.1109/5.58337
 */

import { add, zerosLike } from "../ops/index.js";
import { type Derivative, inline, type Linearized, type Program, trace, type Variable } from "../program/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";
import { type ReverseMode, reverseMode } from "../transforms/index.js";
import { activeBodyInputs } from "./activity.js";
import { type ApplyScan, firstConstant, type ScanParams } from "./params.js";

/** Where the backward step finds one residual. */
type Residual =
  | { readonly from: "constant"; readonly value: Tensor }
  | { readonly from: "sequence"; readonly value: Tensor }
  | { readonly from: "stack"; readonly place: number };

/** Runs the scan, and gives the function that runs it backwards. */
export function scanVjp(
  apply: ApplyScan,
  inputs: readonly Tensor[],
  params: ScanParams,
  active: readonly boolean[],
): Linearized {
  if (params.isSegment === true) return recomputedVjp(apply, inputs, params, active);
  const bodyActive = activeBodyInputs(params, active);
  const split = reverseMode(params.body, bodyActive);
  const outputCount = params.body.outputs.length;
  const operands = [...inputs, ...split.captured];
  const { residuals, stacked } = sortResiduals(split.forward, outputCount, operands, params);
  const body: Program = { ...split.forward, outputs: [...split.forward.outputs.slice(0, outputCount), ...stacked] };
  const results = apply(operands, { ...params, body });
  const stacks = results.slice(params.carries);
  return {
    outputs: results.slice(0, outputCount),
    pullback: (cotangents) => runBackwards(apply, params, split, { inputs, bodyActive, residuals, stacks }, cotangents),
  };
}

/** Keeps the inputs alone; the way back begins by going forward again. */
function recomputedVjp(
  apply: ApplyScan,
  inputs: readonly Tensor[],
  params: ScanParams,
  active: readonly boolean[],
): Linearized {
  return {
    outputs: apply(inputs, params),
    pullback: (cotangents) => scanVjp(apply, inputs, { ...params, isSegment: false }, active).pullback(cotangents),
  };
}

function sortResiduals(
  forward: Program,
  outputCount: number,
  operands: readonly Tensor[],
  params: ScanParams,
): { residuals: Residual[]; stacked: Variable[] } {
  const results = forward.outputs.slice(params.carries, outputCount);
  const stacked: Variable[] = [];
  const residuals = forward.outputs.slice(outputCount).map((variable): Residual => {
    const input = forward.inputs.indexOf(variable);
    if (input >= firstConstant(params)) return { from: "constant", value: operands[input] as Tensor };
    if (input >= params.carries) return { from: "sequence", value: operands[input] as Tensor };
    if (results.includes(variable)) return { from: "stack", place: results.indexOf(variable) };
    if (!stacked.includes(variable)) stacked.push(variable);
    return { from: "stack", place: results.length + stacked.indexOf(variable) };
  });
  return { residuals, stacked };
}

interface Kept {
  readonly inputs: readonly Tensor[];
  readonly bodyActive: readonly boolean[];
  readonly residuals: readonly Residual[];
  readonly stacks: readonly Tensor[];
}

const sliceType = ({ dtype, shape }: TensorType): TensorType => ({ dtype, shape: shape.slice(1) });

function runBackwards(
  apply: ApplyScan,
  params: ScanParams,
  { backward, activeOutputs, reachedInputs }: ReverseMode,
  { inputs, bodyActive, residuals, stacks }: Kept,
  cotangents: readonly Derivative[],
): Derivative[] {
  const { body, carries } = params;
  const carried = body.inputs.flatMap((_, index) => (index < carries && bodyActive[index] ? [index] : []));
  const reachedSlices = reachedInputs.filter((index) => index >= carries && index < firstConstant(params));
  const accumulated = reachedInputs.filter((index) => index >= firstConstant(params));
  const seeded = activeOutputs.filter((index) => index >= carries && cotangents[index] !== undefined);
  const sequences = residuals.flatMap((residual) => (residual.from === "sequence" ? [residual.value] : []));

  const typeOfInput = (index: number): TensorType => (body.inputs[index] as Variable).type;
  const typeOfOutput = (index: number): TensorType => (body.outputs[index] as Variable).type;

  const step = (...tracers: Tensor[]): Tensor[] => {
    const take = (count: number) => tracers.splice(0, count);
    const carryBar = take(carried.length);
    const sums = take(accumulated.length);
    const resultBar = take(seeded.length);
    const stackSlices = take(stacks.length);
    const sequenceSlices = take(sequences.length);

    const seedOf = (output: number): Tensor => {
      if (output < carries) return carryBar[carried.indexOf(output)] as Tensor;
      return resultBar[seeded.indexOf(output)] ?? zerosLike(typeOfOutput(output));
    };
    let nextSequence = 0;
    const residualOf = (residual: Residual): Tensor => {
      if (residual.from === "constant") return residual.value;
      return (residual.from === "stack" ? stackSlices[residual.place] : sequenceSlices[nextSequence++]) as Tensor;
    };
    const results = inline(backward, [...activeOutputs.map(seedOf), ...residuals.map(residualOf)]);
    const cotangentOf = (input: number): Derivative => results[reachedInputs.indexOf(input)];
    return [
      ...carried.map((input) => cotangentOf(input) ?? zerosLike(typeOfInput(input))),
      ...accumulated.map((input, index) => add(sums[index] as Tensor, cotangentOf(input) as Tensor)),
      ...reachedSlices.map((input) => cotangentOf(input) as Tensor),
    ];
  };

  const { program, captured } = trace(step, [
    ...carried.map(typeOfInput),
    ...accumulated.map(typeOfInput),
    ...seeded.map(typeOfOutput),
    ...stacks.map(sliceType),
    ...sequences.map(sliceType),
  ]);
  const results = apply(
    [
      ...carried.map((index) => cotangents[index] ?? zerosLike(typeOfInput(index))),
      ...accumulated.map((index) => zerosLike(typeOfInput(index))),
      ...seeded.map((index) => cotangents[index] as Tensor),
      ...stacks,
      ...sequences,
      ...captured,
    ],
    {
      body: program,
      length: params.length,
      reverse: !params.reverse,
      carries: carried.length + accumulated.length,
      slices: seeded.length + stacks.length + sequences.length,
      isSegmented: params.isSegmented ?? false,
    },
  );
  const order = [...carried, ...accumulated, ...reachedSlices];
  return inputs.map((_, index) => results[order.indexOf(index)]);
}
