/** Sums over all steps of what a loop stacks: added up step by step, so that the stack is not read for it, and never in memory if nothing else reads it. */

import { fillPrimitive } from "../ops/index.js";
import { type Equation, type Program, readerCounts, Variable } from "../program/index.js";
import { type ScanParams, scanPrimitive } from "../scan/index.js";
import { sizeOf } from "../tensor/index.js";
import { accumulatePrimitive } from "./accumulate.js";
import { inBody } from "./in-body.js";

/** Fewest elements of a step: of fewer, one sum of the stack takes less time than many small ones. */
const FEWEST_ELEMENTS = 256;

/** The same Program with such sums (the gradients of biases and gains) inside the loops that make what they add up. */
export function sumInLoops(program: Program): Program {
  const readers = readerCounts(program);
  const sumOf = new Map(
    program.equations.filter(isSumOfRows).map((equation) => [equation.inputs[0] as Variable, equation]),
  );
  const taken = new Set<Equation>();
  const equations = program.equations.flatMap((equation): Equation[] => {
    if (equation.primitive !== scanPrimitive) return [equation];
    const { carries } = equation.params as ScanParams;
    const sums = new Map<number, Equation>();
    equation.outputs.forEach((stack, index) => {
      const sum = sumOf.get(stack);
      if (index < carries || sum === undefined) return;
      sums.set(index, sum);
      taken.add(sum);
    });
    const isOnlySummed = (index: number) => sums.has(index) && readers.get(equation.outputs[index] as Variable) === 1;
    return withSums(inBody(equation, sumInLoops), sums, isOnlySummed);
  });
  return { ...program, equations: equations.filter((equation) => !taken.has(equation)) };
}

/** Whether an equation adds up the steps and the rows of a stack: at most all axes but the last. */
function isSumOfRows({ primitive, params, inputs: [stack] }: Equation): boolean {
  if (primitive.name !== "sum") return false;
  const { dtype, shape } = (stack as Variable).type;
  const { axes } = params as { axes: readonly number[] };
  const leading = axes.length < shape.length && axes.every((axis, k) => axis === k);
  return dtype === "float32" && leading && shape.at(-1) !== 1 && sizeOf(shape.slice(1)) >= FEWEST_ELEMENTS;
}

/** A loop with some of its results added up in carries, which begin at zero; those that are only summed are not stacked. */
function withSums(
  loop: Equation,
  sums: ReadonlyMap<number, Equation>,
  isOnlySummed: (index: number) => boolean,
): Equation[] {
  if (sums.size === 0) return [loop];
  const params = loop.params as ScanParams;
  const { body, carries } = params;
  const totals = [...sums].map(([index, { outputs }]) => {
    const [last] = outputs as [Variable];
    const { type } = last;
    const [first, old, next] = [new Variable(type), new Variable(type), new Variable(type)];
    const step = body.outputs[index] as Variable;
    const zeros: Equation = {
      primitive: fillPrimitive,
      params: { value: 0, dtype: type.dtype, shape: type.shape },
      inputs: [],
      outputs: [first],
    };
    const adding: Equation = { primitive: accumulatePrimitive, params: null, inputs: [old, step], outputs: [next] };
    return { first, old, next, last, step, zeros, adding };
  });
  const withCarries = (variables: readonly Variable[], added: readonly Variable[]): Variable[] => [
    ...variables.slice(0, carries),
    ...added,
    ...variables.slice(carries),
  ];
  const isStacked = (_: Variable, index: number) => !isOnlySummed(index);
  // Right behind what computes a step's part: a product is then added as it is formed.
  const addingUp = (computed: readonly Variable[]) =>
    totals.flatMap(({ step, adding }) => (computed.includes(step) ? [adding] : []));
  const inside: Program = {
    inputs: withCarries(
      body.inputs,
      totals.map(({ old }) => old),
    ),
    equations: [
      ...addingUp(body.inputs),
      ...body.equations.flatMap((equation) => [equation, ...addingUp(equation.outputs)]),
    ],
    outputs: withCarries(
      body.outputs.filter(isStacked),
      totals.map(({ next }) => next),
    ),
  };
  const summed: Equation = {
    ...loop,
    params: { ...params, body: inside, carries: carries + totals.length } satisfies ScanParams,
    inputs: withCarries(
      loop.inputs,
      totals.map(({ first }) => first),
    ),
    outputs: withCarries(
      loop.outputs.filter(isStacked),
      totals.map(({ last }) => last),
    ),
  };
  return [...totals.map(({ zeros }) => zeros), summed];
}
