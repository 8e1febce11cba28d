/**
 * Stacks of what a loop makes of the parts of a value (the gates of a cell), and another loop reads: one stack, laid out like that value, so
 * that it can lie in its place.
 */

import { slicePrimitive } from "../ops/index.js";
import { type Equation, type Program, Variable } from "../program/index.js";
import { firstConstant, type ScanParams, scanPrimitive, sequenceType, stepType } from "../scan/index.js";
import { sameType, sizeOf } from "../tensor/index.js";
import { concatenation, partition } from "./concatenation.js";
import { inBody } from "./in-body.js";

/** Fewest elements of a part: fewer are read and written faster where they lie one behind the other. */
const FEWEST_ELEMENTS = 256;

/** Stacks, in the order of the parts, the loop that makes them, and the one that reads them. */
interface Joint {
  readonly maker: Equation;
  readonly reader: Equation;
  readonly stacks: readonly Variable[];
  readonly joined: Variable;
}

/** The same Program with such stacks joined, in loops inside loops, too. */
export function joinStacks(program: Program): Program {
  const readers = readersOf(program);
  const joints = program.equations.flatMap((maker) => jointsOf(maker, readers));
  const equations = program.equations.map((equation) => {
    if (equation.primitive !== scanPrimitive) return equation;
    const made = joints.filter(({ maker }) => maker === equation).reduce(withJoined, equation);
    const read = joints.filter(({ reader }) => reader === equation).reduce(withParts, made);
    return inBody(read, joinStacks);
  });
  return { ...program, equations };
}

/** The equations that read a variable, each as often as it does. What the Program returns is missing. */
function readersOf({ equations, outputs }: Program): Map<Variable, Equation[]> {
  const readers = new Map<Variable, Equation[]>();
  for (const equation of equations)
    for (const input of equation.inputs) readers.set(input, [...(readers.get(input) ?? []), equation]);
  for (const output of outputs) readers.delete(output);
  return readers;
}

function jointsOf(maker: Equation, readers: ReadonlyMap<Variable, readonly Equation[]>): Joint[] {
  if (maker.primitive !== scanPrimitive) return [];
  const { body, carries, length } = maker.params as ScanParams;
  const taken = new Set<Variable>();
  const inner = readersOf(body);
  return [...inner.keys()].flatMap((whole): Joint[] => {
    const made = stackedParts(whole, inner, body, carries);
    const stacks = made?.map((part) => maker.outputs[body.outputs.indexOf(part, carries)] as Variable) ?? [];
    const [reader] = readers.get(stacks[0] as Variable) ?? [];
    const isFree = (stack: Variable): boolean => {
      const found = readers.get(stack) ?? [];
      return !taken.has(stack) && found.length === 1 && found[0] === reader && isSliced(reader as Equation, stack);
    };
    if (reader === undefined || !stacks.every(isFree)) return [];
    for (const stack of stacks) taken.add(stack);
    return [{ maker, reader, stacks, joined: new Variable(sequenceType(whole.type, length)) }];
  });
}

/** Whether a loop reads one step of a stack after the other. */
function isSliced({ primitive, params, inputs }: Equation, stack: Variable): boolean {
  if (primitive !== scanPrimitive) return false;
  const scan = params as ScanParams;
  const index = inputs.indexOf(stack);
  return index >= scan.carries && index < firstConstant(scan);
}

/**
 * What a step stacks of each part of a value that it reads in equal parts along the last axis: the first that is stacked of what is made of
 * the part, element by element, and of nothing else of it.
 */
function stackedParts(
  whole: Variable,
  readers: ReadonlyMap<Variable, readonly Equation[]>,
  { outputs }: Program,
  carries: number,
): Variable[] | undefined {
  const slices = readers.get(whole) as readonly Equation[];
  const numbers = slices.map((slice) => partNumber(slice, slices.length));
  const order = slices.map((_, part) => numbers.indexOf(part));
  if (slices.length < 2 || order.includes(-1)) return undefined;
  const parts = order.map((index) => {
    let part = slices[index]?.outputs[0] as Variable;
    while (!outputs.includes(part, carries)) {
      const [next, ...others] = readers.get(part) ?? [];
      const result = next?.outputs[0];
      if (next?.primitive.pointwise !== true || others.length > 0 || !sameType(part.type, (result as Variable).type))
        return undefined;
      part = result as Variable;
    }
    // A carry has a place of its own.
    return outputs.indexOf(part) < carries || sizeOf(part.type.shape) < FEWEST_ELEMENTS ? undefined : part;
  });
  const found = parts.filter((part) => part !== undefined);
  return new Set(found).size === slices.length ? found : undefined;
}

/** Which of so many equal parts along the last axis a slice is, if it is one. */
function partNumber({ primitive, params, inputs: [whole], outputs }: Equation, count: number): number | undefined {
  if (primitive !== slicePrimitive) return undefined;
  const { starts } = params as { starts: readonly number[] };
  const from = (whole as Variable).type.shape;
  const to = (outputs[0] as Variable).type.shape;
  const last = from.length - 1;
  const width = (from[last] as number) / count;
  const isPart = to.every((size, axis) => size === (axis === last ? width : from[axis]));
  return isPart ? (starts[last] as number) / width : undefined;
}

/** The loop that makes stacks, with what it stacked joined in each step. */
function withJoined(loop: Equation, { maker, stacks, joined }: Joint): Equation {
  const params = loop.params as ScanParams;
  const { body: original } = maker.params as ScanParams;
  const parts = stacks.map((stack) => original.outputs[maker.outputs.indexOf(stack)] as Variable);
  const joining = concatenation(parts as [Variable, ...Variable[]], joined.type.shape.length - 2);
  const isKept = (index: number) => !stacks.includes(loop.outputs[index] as Variable);
  const body: Program = {
    ...params.body,
    equations: [...params.body.equations, joining],
    outputs: [...params.body.outputs.filter((_, index) => isKept(index)), ...joining.outputs],
  };
  const outputs = [...loop.outputs.filter((_, index) => isKept(index)), joined];
  return { ...loop, params: { ...params, body } satisfies ScanParams, outputs };
}

/** The loop that reads stacks, with each of them a part of the joined one. */
function withParts(loop: Equation, { stacks, joined }: Joint): Equation {
  const params = loop.params as ScanParams;
  const { slices, body: old } = params;
  const step = new Variable(stepType(joined.type));
  const isKept = (_: Variable, index: number) => !stacks.includes(loop.inputs[index] as Variable);
  const withStack = (variables: readonly Variable[], added: Variable): Variable[] =>
    variables.filter(isKept).toSpliced(firstConstant(params) - stacks.length, 0, added);
  const read = stacks.map((stack) => old.inputs[loop.inputs.indexOf(stack)] as Variable);
  const parts = partition(step, read, step.type.shape.length - 1);
  const body: Program = { ...old, inputs: withStack(old.inputs, step), equations: [...parts, ...old.equations] };
  return {
    ...loop,
    params: { ...params, body, slices: slices - stacks.length + 1 } satisfies ScanParams,
    inputs: withStack(loop.inputs, joined),
  };
}
