/** Rewrites that never change a result: identities, constants seen through other shapes, and sums of pads as one concatenation. */

import { concatenatePrimitive, fillPrimitive } from "../ops/index.js";
import { type Equation, type Program, readerCounts, Variable } from "../program/index.js";
import { allocate, type DType, type Shape, sameShape, sizeOf, type View } from "../tensor/index.js";

interface FillParams {
  readonly value: number;
  readonly dtype: DType;
  readonly shape: Shape;
}

interface PadParams {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly shape: Shape;
}

interface SliceParams {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps: readonly number[];
}

type Producers = ReadonlyMap<Variable, Equation>;

/** Operations that only move elements: of a fill, they are a fill. */
const MOVES: ReadonlySet<string> = new Set(["broadcast", "reshape", "slice", "transpose", "reverse"]);

/** Which operand, being filled with which number, makes an operation the identity of the other operand. */
const IDENTITIES: ReadonlyMap<string, readonly (readonly [operand: 0 | 1, value: number])[]> = new Map([
  ["add", [[0, 0] as const, [1, 0] as const]],
  ["subtract", [[1, 0] as const]],
  ["multiply", [[0, 1] as const, [1, 1] as const]],
  ["divide", [[1, 1] as const]],
]);

/** The same Program, simpler. Differentiation is over: `stopGradient` is its operand. */
export function simplify(program: Program): Program {
  const readers = readerCounts(program);
  const producers = new Map<Variable, Equation>();
  const replaced = new Map<Variable, Variable>();
  const resolve = (variable: Variable): Variable => replaced.get(variable) ?? variable;

  for (const equation of program.equations) {
    const current = { ...equation, inputs: equation.inputs.map(resolve) };
    const simpler = simplifyEquation(current, producers, readers);
    if (simpler instanceof Variable) replaced.set(equation.outputs[0] as Variable, simpler);
    else for (const one of [simpler].flat()) for (const output of one.outputs) producers.set(output, one);
  }
  return {
    inputs: program.inputs,
    equations: [...new Set(producers.values())],
    outputs: program.outputs.map(resolve),
  };
}

/** The variable that an equation's result is equal to, or the equation, perhaps others for the same outputs. */
function simplifyEquation(
  equation: Equation,
  producers: Producers,
  readers: ReadonlyMap<Variable, number>,
): Equation | readonly Equation[] | Variable {
  const { primitive, inputs, outputs } = equation;
  const [output] = outputs as [Variable];
  if (primitive.name === "stopGradient") return inputs[0] as Variable;
  for (const [operand, value] of IDENTITIES.get(primitive.name) ?? []) {
    if (fillOf(inputs[operand] as Variable, producers)?.value === value) return inputs[1 - operand] as Variable;
  }
  if (MOVES.has(primitive.name)) {
    const fill = fillOf(inputs[0] as Variable, producers);
    if (fill !== undefined) {
      return { primitive: fillPrimitive, params: { ...fill, shape: output.type.shape }, inputs: [], outputs };
    }
  }
  if (primitive.pointwise === true && inputs.length > 0) {
    const fills = inputs.map((input) => fillOf(input, producers));
    if (!fills.includes(undefined)) return fillWith(equation, fills as FillParams[]);
    const repeated = repeatResult(equation, fills, producers);
    if (repeated !== undefined) return repeated;
  }
  if (primitive.name === "sum") return sumOnce(equation, producers, readers);
  if (primitive.name === "slice") return partOf(equation, producers) ?? equation;
  if (primitive.name === "add") return concatenationOf(equation, producers, readers) ?? equation;
  return equation;
}

function fillOf(variable: Variable, producers: Producers): FillParams | undefined {
  const equation = producers.get(variable);
  return equation?.primitive.name === "fill" ? (equation.params as FillParams) : undefined;
}

/** A pointwise operation on fills is a fill: computed on one element. */
function fillWith({ primitive, params, outputs }: Equation, fills: readonly FillParams[]): Equation {
  const scalar = (dtype: DType, value = 0): View => ({
    dtype,
    shape: [],
    data: allocate(dtype, 1).fill(value),
    offset: 0,
  });
  const { dtype, shape } = (outputs[0] as Variable).type;
  const result = scalar(dtype);
  primitive.evaluate(
    fills.map((fill) => scalar(fill.dtype, fill.value)),
    [result],
    params,
  );
  return { primitive: fillPrimitive, params: { value: result.data[0] as number, dtype, shape }, inputs: [], outputs };
}

/** A pointwise operation on tensors that are repeated alike is done before they are repeated. */
function repeatResult(
  equation: Equation,
  fills: readonly (FillParams | undefined)[],
  producers: Producers,
): readonly Equation[] | undefined {
  const made = equation.inputs.map((input) => producers.get(input));
  const first = made.find((_, index) => fills[index] === undefined);
  if (first?.primitive.name !== "broadcast") return undefined;
  const { axes } = first.params as { axes: readonly number[] };
  const alike = made.every(
    (one, index) =>
      fills[index] !== undefined ||
      (one?.primitive.name === "broadcast" &&
        String((one.params as { axes: readonly number[] }).axes) === String(axes)),
  );
  const [output] = equation.outputs as [Variable];
  const { shape } = (first.inputs[0] as Variable).type;
  if (!alike || sizeOf(shape) >= sizeOf(output.type.shape)) return undefined;
  const small: Equation[] = [];
  const inputs = made.map((one, index) => {
    const fill = fills[index];
    if (fill === undefined) return one?.inputs[0] as Variable;
    const variable = new Variable({ dtype: fill.dtype, shape });
    small.push({ primitive: fillPrimitive, params: { ...fill, shape }, inputs: [], outputs: [variable] });
    return variable;
  });
  const result = new Variable({ dtype: output.type.dtype, shape });
  return [
    ...small,
    { ...equation, inputs, outputs: [result] },
    { primitive: first.primitive, params: first.params, inputs: [result], outputs: [output] },
  ];
}

/** The sum of a sum that nothing else reads is one sum over the axes of both. */
function sumOnce(equation: Equation, producers: Producers, readers: ReadonlyMap<Variable, number>): Equation {
  const [summed] = equation.inputs as [Variable];
  const inner = producers.get(summed);
  if (inner?.primitive.name !== "sum" || readers.get(summed) !== 1) return equation;
  const gone = (inner.params as { axes: readonly number[] }).axes;
  const [whole] = inner.inputs as [Variable];
  const left = whole.type.shape.map((_, axis) => axis).filter((axis) => !gone.includes(axis));
  const more = (equation.params as { axes: readonly number[] }).axes.map((axis) => left[axis] as number);
  return { ...equation, params: { axes: [...gone, ...more].sort((a, b) => a - b) }, inputs: [whole] };
}

/** The part of a concatenation that a slice takes out again. */
function partOf({ params, inputs: [whole] }: Equation, producers: Producers): Variable | undefined {
  const concatenation = producers.get(whole as Variable);
  if (concatenation?.primitive.name !== "concatenate") return undefined;
  const { axis } = concatenation.params as { axis: number };
  const { starts, ends, steps } = params as SliceParams;
  let start = 0;
  for (const part of concatenation.inputs) {
    const length = part.type.shape[axis] as number;
    const expected = (whole as Variable).type.shape.map((full, other) =>
      other === axis ? [start, start + length] : [0, full],
    );
    if (expected.every(([first, end], k) => starts[k] === first && ends[k] === end && steps[k] === 1)) return part;
    start += length;
  }
  return undefined;
}

/** pad(a) + pad(b) + ... = concatenate(a, b, ...), if the padded parts fill one axis without overlap. */
function concatenationOf(
  equation: Equation,
  producers: Producers,
  readers: ReadonlyMap<Variable, number>,
): Equation | undefined {
  const pads: Equation[] = [];
  const collect = (variable: Variable): boolean => {
    const made = producers.get(variable);
    if (made?.primitive.name === "pad") return pads.push(made) > 0;
    return made?.primitive.name === "add" && readers.get(variable) === 1 && made.inputs.every(collect);
  };
  if (!equation.inputs.every(collect)) return undefined;

  const { shape } = (equation.outputs[0] as Variable).type;
  const part = (pad: Equation) => (pad.inputs[0] as Variable).type.shape;
  const axis = shape.findIndex((length, k) => part(pads[0] as Equation)[k] !== length);
  if (axis < 0) return undefined;
  const startOf = (pad: Equation) => (pad.params as PadParams).starts[axis] as number;
  const sorted = [...pads].sort((a, b) => startOf(a) - startOf(b));
  let next = 0;
  for (const pad of sorted) {
    const plain = (pad.params as PadParams).steps.every((step) => step === 1);
    if (!plain || startOf(pad) !== next || !sameShape(part(pad).toSpliced(axis, 1), shape.toSpliced(axis, 1)))
      return undefined;
    next += part(pad)[axis] as number;
  }
  if (next !== shape[axis]) return undefined;
  const inputs = sorted.map((pad) => pad.inputs[0] as Variable);
  return { primitive: concatenatePrimitive, params: { axis }, inputs, outputs: equation.outputs };
}
