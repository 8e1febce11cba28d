/**
 * Reverse rule of scan, which is backpropagation through time: the forward loop also returns what each step's way back
 * needs, and the cotangents run through a second scan in the opposite direction.
 *
 *   carry' , y = step(θ, carry, x)      (carrȳ, x̄) = stepᵀ(carrȳ', ȳ),   θ̄ += stepᵀ
 *
 * Residuals: what the backward step reads of a forward step. What is the same at every step is handed on once, a slice is read again
 * from its sequence, a result from the stacked results, what only repeats another value is repeated again; all else is stacked too,
 * `[length, ...]`. Memory O(length).
 * @see Werbos 1990, Backpropagation through time: what it does and how to do it, doi:10.1109/5.58337
 */

import { add, zerosLike } from "../ops/index.js";
import {
  bind,
  type Derivative,
  type Equation,
  inline,
  type Linearized,
  type Program,
  producersOf,
  trace,
  type Variable,
} from "../program/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";
import { type ReverseMode, reverseMode } from "../transforms/index.js";
import { activeBodyInputs } from "./activity.js";
import { type ApplyScan, firstConstant, type ScanParams, stepType } from "./params.js";

/** Where the backward step finds one residual. */
type Residual =
  /** The same at every step: computed once, outside. */
  | { readonly from: "constant"; readonly value: Tensor }
  | { readonly from: "sequence"; readonly place: number }
  | { readonly from: "stack"; readonly place: number }
  /** Another residual, seen by an operation that computes nothing: it is done again instead of being kept. */
  | { readonly from: "view"; readonly equation: Equation; readonly of: Residual };

/** Operations that show the same elements, perhaps repeated. */
const REPEATING: ReadonlySet<string> = new Set(["broadcast", "reshape", "stopGradient"]);

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
  const { residuals, stacked, sequences } = sortResiduals(split.forward, outputCount, operands, params);
  const body: Program = { ...split.forward, outputs: [...split.forward.outputs.slice(0, outputCount), ...stacked] };
  const results = apply(operands, { ...params, body });
  const stacks = results.slice(params.carries);
  return {
    outputs: results.slice(0, outputCount),
    pullback: (cotangents) =>
      runBackwards(apply, params, split, { inputs, bodyActive, residuals, sequences, stacks }, cotangents),
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

/** Residuals by where they are found, the values of a step that are stacked for them, and the sequences that are read again. */
interface SortedResiduals {
  readonly residuals: readonly Residual[];
  readonly stacked: readonly Variable[];
  readonly sequences: readonly Tensor[];
}

function sortResiduals(
  forward: Program,
  outputCount: number,
  operands: readonly Tensor[],
  params: ScanParams,
): SortedResiduals {
  const results = forward.outputs.slice(params.carries, outputCount);
  const stacked: Variable[] = [];
  const sequences: Tensor[] = [];
  const producers = producersOf(forward);
  const shared = sharedVariables(forward, params);
  const placeIn = <Thing>(list: Thing[], thing: Thing): number =>
    list.includes(thing) ? list.indexOf(thing) : list.push(thing) - 1;
  const find = (variable: Variable): Residual => {
    const input = forward.inputs.indexOf(variable);
    if (input >= firstConstant(params)) return { from: "constant", value: operands[input] as Tensor };
    if (input >= params.carries) return { from: "sequence", place: placeIn(sequences, operands[input] as Tensor) };
    if (results.includes(variable)) return { from: "stack", place: results.indexOf(variable) };
    if (shared.has(variable)) return { from: "constant", value: computeShared(forward, variable, operands, producers) };
    const equation = producers.get(variable);
    if (equation !== undefined && REPEATING.has(equation.primitive.name))
      return { from: "view", equation, of: find(equation.inputs[0] as Variable) };
    return { from: "stack", place: results.length + placeIn(stacked, variable) };
  };
  return { residuals: forward.outputs.slice(outputCount).map(find), stacked, sequences };
}

/** Variables that are the same at every step: they depend on constants alone. */
function sharedVariables({ inputs, equations }: Program, params: ScanParams): Set<Variable> {
  const shared = new Set(inputs.slice(firstConstant(params)));
  for (const equation of equations) {
    if (equation.inputs.every((input) => shared.has(input))) for (const output of equation.outputs) shared.add(output);
  }
  return shared;
}

/** The value of a variable that depends on constants alone. */
function computeShared(
  forward: Program,
  variable: Variable,
  operands: readonly Tensor[],
  producers: ReadonlyMap<Variable, Equation>,
): Tensor {
  const equations = new Set<Equation>();
  const visit = (needed: Variable): void => {
    const equation = producers.get(needed);
    if (equation === undefined || equations.has(equation)) return;
    equation.inputs.forEach(visit);
    equations.add(equation);
  };
  visit(variable);
  const program = { inputs: forward.inputs, equations: [...equations], outputs: [variable] };
  return inline(program, operands)[0] as Tensor;
}

interface Kept {
  readonly inputs: readonly Tensor[];
  readonly bodyActive: readonly boolean[];
  readonly residuals: readonly Residual[];
  readonly sequences: readonly Tensor[];
  readonly stacks: readonly Tensor[];
}

function runBackwards(
  apply: ApplyScan,
  params: ScanParams,
  { backward, activeOutputs, reachedInputs }: ReverseMode,
  { inputs, bodyActive, residuals, sequences, stacks }: Kept,
  cotangents: readonly Derivative[],
): Derivative[] {
  const { body, carries } = params;
  const carried = body.inputs.flatMap((_, index) => (index < carries && bodyActive[index] ? [index] : []));
  const reachedSlices = reachedInputs.filter((index) => index >= carries && index < firstConstant(params));
  const accumulated = reachedInputs.filter((index) => index >= firstConstant(params));
  const seeded = activeOutputs.filter((index) => index >= carries && cotangents[index] !== undefined);

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
    const residualOf = (residual: Residual): Tensor => {
      switch (residual.from) {
        case "constant":
          return residual.value;
        case "sequence":
          return sequenceSlices[residual.place] as Tensor;
        case "stack":
          return stackSlices[residual.place] as Tensor;
        case "view": {
          const { primitive, params: viewParams } = residual.equation;
          return bind(primitive, [residualOf(residual.of)], viewParams)[0] as Tensor;
        }
      }
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
    ...stacks.map(stepType),
    ...sequences.map(stepType),
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
