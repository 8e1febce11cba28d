/** Elementwise instructions: fused arithmetic, and everything that only moves elements. */

import type { Slot } from "../../compile/index.js";
import {
  accumulatePrimitive,
  type FusedParams,
  type StridedView,
  viewThrough,
  wholeView,
} from "../../compile/index.js";
import { type Equation, type Primitive, type Program, readerCounts, type Variable } from "../../program/index.js";
import { type Shape, sizeOf, stridesOf } from "../../tensor/index.js";
import { type ElementName, elementCode } from "./codes.js";
import { encodeFew, MOST_FEW } from "./encode-few.js";
import { type PlaceTable, word } from "./places.js";
import { codeOf, collapse, isStep, type Operand, type Piece, placeFor, type Source, type Step } from "./steps.js";

const memoryOf = (table: PlaceTable, slot: Slot, { offset, strides }: StridedView): Operand => ({
  place: table.placeOf(slot),
  byte: offset * 4,
  strides,
  slot,
});

// ------------------------------------------------------------------------------------------------------ fused groups

/** A group as one instruction. */
export function encodeFused(
  table: PlaceTable,
  { body, shape }: FusedParams,
  inputs: readonly Slot[],
  outputs: readonly Slot[],
  piece?: Piece,
): number[] {
  const views = new Map<Variable, { slot: Slot; view: StridedView }>();
  body.inputs.forEach((variable, index) => {
    views.set(variable, { slot: inputs[index] as Slot, view: wholeView(variable.type.shape) });
  });
  const values = new Map<Variable, Source>();
  const steps: Step[] = [];
  const sourceOf = (variable: Variable): Source => {
    const view = views.get(variable);
    return view === undefined ? (values.get(variable) as Source) : memoryOf(table, view.slot, view.view);
  };
  const targetOf = (variable: Variable): Slot | undefined => outputs[body.outputs.indexOf(variable)];
  const store = (source: Source, to: Operand): void => {
    // A result goes straight to its place; a second place, or one that is not written in rows, gets a copy.
    if (isStep(source) && source.to === undefined && isRow(to, shape)) source.to = to;
    else steps.push({ code: codeOf("move"), sources: [source], to });
  };
  const single = singleReaders(body);
  /** What is added up: a value, or two that are multiplied as they are. */
  const summandsOf = (variable: Variable): Source[] => {
    const last = steps.at(-1);
    const areRows = last?.sources.every((source) => isStep(source) || source.strides.at(-1) !== 0) === true;
    return (areRows && takeFactors(variable, sourceOf(variable), steps, single)) || [sourceOf(variable)];
  };

  for (const equation of body.equations) {
    const { primitive, params, inputs: operands, outputs: results } = equation;
    const [result] = results as [Variable];
    if (primitive.name === "fill") {
      const { value, dtype } = params as { value: number; dtype: "float32" | "int32" };
      values.set(result, { ...table.placeOfNumber(value, dtype), strides: shape.map(() => 0) });
    } else if (primitive.name === "concatenate") {
      storeParts(table, equation, targetOf(result) as Slot, sourceOf, store);
    } else if (primitive.name === "sum") {
      const to = memoryOf(table, targetOf(result) as Slot, wholeView(result.type.shape));
      const reduced = { ...to, strides: [...to.strides, 0] };
      steps.push({ code: codeOf("sum"), sources: summandsOf(operands[0] as Variable), to: reduced });
    } else if (primitive === accumulatePrimitive) {
      const [total, part] = operands as [Variable, Variable];
      const to = memoryOf(table, targetOf(result) as Slot, wholeView(result.type.shape));
      if (to.place !== (sourceOf(total) as Operand).place)
        throw new Error("accumulate: the result is not written over the total");
      const rows = new Array<number>(part.type.shape.length - result.type.shape.length).fill(0);
      const sources = takeFactors(part, sourceOf(part), steps, single) ?? [sourceOf(part)];
      steps.push({ code: codeOf("accumulate"), sources, to: { ...to, strides: [...rows, ...to.strides] } });
    } else if (primitive.pointwise === true) {
      const target = targetOf(result);
      const sources = operands.map(sourceOf);
      const name = elementName(equation);
      // Whole numbers are finite: each equals itself.
      if (name === "equalInt" && sources.length === 1) sources.push(sources[0] as Source);
      const step = mergedProduct(equation, sources, steps, single) ?? { code: codeOf(name), sources, to: undefined };
      steps.push(step);
      values.set(result, step);
      if (target !== undefined) store(step, memoryOf(table, target, wholeView(result.type.shape)));
    } else {
      const whole = views.get(operands[0] as Variable);
      if (whole === undefined) values.set(result, sourceOf(operands[0] as Variable));
      else views.set(result, { slot: whole.slot, view: viewThrough(equation, whole.view) as StridedView });
    }
  }
  for (const [index, variable] of body.outputs.entries()) {
    if (!views.has(variable)) continue;
    const to = memoryOf(table, outputs[index] as Slot, wholeView(variable.type.shape));
    steps.push({ code: codeOf("move"), sources: [sourceOf(variable)], to });
  }
  return encodeSteps(shape, steps, piece);
}

/** The sum over the last axis, of a piece of rows. */
export function encodeRowSum(table: PlaceTable, from: Slot, to: Slot, piece: Piece): number[] {
  const source = memoryOf(table, from, wholeView(from.type.shape));
  const sum = memoryOf(table, to, wholeView(to.type.shape));
  const step: Step = { code: codeOf("sum"), sources: [source], to: { ...sum, strides: [...sum.strides, 0] } };
  return encodeSteps(from.type.shape, [step], piece);
}

/** Whether elements along the last axis are neighbours. */
const isRow = ({ strides }: Operand, shape: Shape): boolean => strides.at(-1) === 1 || (shape.at(-1) ?? 1) === 1;

function storeParts(
  table: PlaceTable,
  { params, inputs }: Equation,
  target: Slot,
  sourceOf: (variable: Variable) => Source,
  store: (source: Source, to: Operand) => void,
): void {
  const { axis } = params as { axis: number };
  const strides = stridesOf(target.type.shape);
  let offset = 0;
  for (const part of inputs) {
    store(sourceOf(part), memoryOf(table, target, { offset, strides }));
    offset += (part.type.shape[axis] as number) * (strides[axis] as number);
  }
}

/** Variables that one equation reads, once, and nothing else. */
const singleReaders = (body: Program): ReadonlySet<Variable> =>
  new Set([...readerCounts(body)].filter(([v, count]) => count === 1 && !body.outputs.includes(v)).map(([v]) => v));

/** a b + c or c - a b as one step, if nothing else reads the product and nothing was computed after it. */
function mergedProduct(
  { primitive, inputs }: Equation,
  sources: readonly Source[],
  steps: Step[],
  single: ReadonlySet<Variable>,
): Step | undefined {
  const isSum = primitive.name === "add";
  if (!isSum && primitive.name !== "subtract") return undefined;
  const code = codeOf(isSum ? "multiplyAdd" : "subtractProduct");
  for (const own of isSum ? [0, 1] : [1]) {
    const factors = takeFactors(inputs[own] as Variable, sources[own] as Source, steps, single);
    if (factors !== undefined) return { code, sources: [...factors, sources[1 - own] as Source], to: undefined };
  }
  return undefined;
}

/** The factors of a product or square of floats, which is no step any more, if it was computed last and nothing else reads it. */
function takeFactors(
  variable: Variable,
  source: Source,
  steps: Step[],
  single: ReadonlySet<Variable>,
): Source[] | undefined {
  const last = steps.at(-1);
  if (last === undefined || last !== source || last.to !== undefined || !single.has(variable)) return undefined;
  if (last.code !== codeOf("multiply") && last.code !== codeOf("square")) return undefined;
  steps.pop();
  return last.code === codeOf("square") ? [...last.sources, ...last.sources] : last.sources;
}

const SAME_FOR_INTS: ReadonlySet<string> = new Set(["select"]);

/** Whether there is an element operation for a pointwise operation of this name. */
export const isElementOperation = (name: string): boolean => name === "cast" || elementCode(name) !== undefined;

/** The element operation of a pointwise equation. Comparisons and arithmetic of whole numbers have names of their own. */
function elementName({ primitive, params, inputs }: Equation): ElementName {
  const from = (inputs[0] as Variable).type.dtype;
  if (primitive.name === "cast") {
    const { dtype } = params as { dtype: string };
    return dtype === from ? "move" : dtype === "int32" ? "toInt" : "toFloat";
  }
  if (from !== "int32" || SAME_FOR_INTS.has(primitive.name)) return primitive.name as ElementName;
  const own = `${primitive.name}Int`;
  if (elementCode(own) !== undefined) return own as ElementName;
  // What is no arithmetic on whole numbers: finite they all are, and their floor is themselves.
  return primitive.name === "isFinite" ? "equalInt" : "move";
}

// ----------------------------------------------------------------------------------------------------------- movement

/** A slice, broadcast, transposition or reversal as a copy. */
export function encodeView(
  table: PlaceTable,
  { primitive, params }: { primitive: Primitive; params: unknown },
  from: Slot,
  to: Slot,
): number[] {
  const equation: Equation = { primitive, params, inputs: [from as Variable], outputs: [to as Variable] };
  const view = viewThrough(equation, wholeView(from.type.shape)) as StridedView;
  return move(to.type.shape, memoryOf(table, from, view), memoryOf(table, to, wholeView(to.type.shape)));
}

/** Zeros, and the elements copied into them. */
export function encodePad(
  table: PlaceTable,
  { starts, steps }: { readonly starts: readonly number[]; readonly steps: readonly number[] },
  from: Slot,
  to: Slot,
): number[] {
  const { shape, dtype } = to.type;
  const strides = stridesOf(shape);
  const inside: StridedView = {
    offset: starts.reduce((sum, start, axis) => sum + start * (strides[axis] as number), 0),
    strides: strides.map((stride, axis) => stride * (steps[axis] as number)),
  };
  const zero: Operand = {
    ...table.placeOfNumber(0, dtype === "int32" ? "int32" : "float32"),
    strides: shape.map(() => 0),
  };
  return [
    ...move(shape, zero, memoryOf(table, to, wholeView(shape))),
    ...move(from.type.shape, memoryOf(table, from, wholeView(from.type.shape)), memoryOf(table, to, inside)),
  ];
}

/** Each part copied to its place. */
export function encodeConcatenation(table: PlaceTable, axis: number, parts: readonly Slot[], to: Slot): number[] {
  const strides = stridesOf(to.type.shape);
  let offset = 0;
  return parts.flatMap((part) => {
    const { shape } = part.type;
    const words = move(shape, memoryOf(table, part, wholeView(shape)), memoryOf(table, to, { offset, strides }));
    offset += (shape[axis] as number) * (strides[axis] as number);
    return words;
  });
}

const move = (shape: Shape, from: Operand, to: Operand): number[] =>
  sizeOf(shape) === 0 ? [] : encodeSteps(shape, [{ code: codeOf("move"), sources: [from], to }]);

// -------------------------------------------------------------------------------------------------------------- words

function encodeSteps(whole: Shape, steps: readonly Step[], piece?: Piece): number[] {
  const shape = piece === undefined ? whole : whole.with(0, piece.chunk);
  const accumulates = steps.some(({ code: one }) => one === codeOf("accumulate"));
  if (sizeOf(shape) > 0 && sizeOf(shape) <= MOST_FEW && !accumulates) return encodeFew(shape, steps, piece);
  const operands: Operand[] = [];
  const memory = (operand: Operand): number => {
    const same = operands.findIndex(
      ({ place, byte, strides }) =>
        place === operand.place && byte === operand.byte && strides.every((stride, k) => stride === operand.strides[k]),
    );
    return same >= 0 ? same : operands.push(operand) - 1;
  };
  const registers = assignRegisters(steps);
  // Memory operands are numbered behind the registers.
  const count = Math.max(0, ...[...registers.values()].map((register) => register + 1));
  const numberOf = (source: Source): number => {
    if (!isStep(source)) return count + memory(source);
    return source.to === undefined ? (registers.get(source) as number) : count + memory(source.to);
  };
  const code = steps.flatMap((step) => {
    const [a = -1, b = -1, c = -1] = step.sources.map(numberOf);
    return [step.code, numberOf(step), a, b, c];
  });
  const { sizes, strides } = collapse(
    shape,
    operands,
    steps.some(({ code: one }) => one === codeOf("sum")),
  );
  return word(
    "elementwise",
    sizes.length,
    ...sizes,
    count,
    operands.length,
    ...operands.flatMap((operand, index) => [placeFor(operand, piece), operand.byte, ...(strides[index] as number[])]),
    steps.length,
    ...code,
  );
}

/** Registers of results that are not stored; one is free again after the last step that reads it. */
function assignRegisters(steps: readonly Step[]): Map<Step, number> {
  const last = new Map<Step, number>();
  steps.forEach(({ sources }, index) => {
    for (const source of sources) if (isStep(source)) last.set(source, index);
  });
  const registers = new Map<Step, number>();
  const free: number[] = [];
  let count = 0;
  steps.forEach((step, index) => {
    for (const source of new Set(step.sources)) {
      if (isStep(source) && source.to === undefined && last.get(source) === index)
        free.push(registers.get(source) as number);
    }
    if (step.to === undefined) registers.set(step, free.pop() ?? count++);
  });
  return registers;
}
