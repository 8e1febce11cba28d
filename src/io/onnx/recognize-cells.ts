/** Finds loops that one operator of ONNX computes: whoever wrote the step, if it is that of an Elman network, an LSTM or a GRU. */

import { optimize } from "../../compile/index.js";
import { flattenTree, ToolkitError, unflattenTree } from "../../core/index.js";
import { bind, inline, type Primitive, type Program, trace, type Variable } from "../../program/index.js";
import { firstConstant, type ScanParams, scanPrimitive } from "../../scan/index.js";
import { isTensor, type Shape, type Tensor, type TensorType } from "../../tensor/index.js";
import { bindExpanded } from "../../transforms/index.js";
import { matchProgram } from "./match-program.js";
import { NATIVE_CELLS, type NativeCell, weightShapes } from "./native-cells.js";

/**
 * A recurrent operator. Inputs: the sequence `[time, batch, inputSize]`, the carries, then the cell's parameters, both by name.
 * Outputs: the last carries, and the outputs of all steps.
 */
export interface NativeParams {
  /** Name in `NATIVE_CELLS`. */
  readonly cell: string;
  readonly reverse: boolean;
  /** Names of the cell's carries. */
  readonly carries: readonly string[];
  /** Names of the cell's parameters. */
  readonly weights: readonly string[];
}

const refuse = (): never => {
  throw new ToolkitError("trace", "onnxRecurrent: exists only while a Program is exported");
};

/** Stands in the Program for a loop that was recognized. */
export const nativePrimitive: Primitive<NativeParams> = {
  name: "onnxRecurrent",
  infer: ([xs, ...rest], { carries }) => {
    const states = rest.slice(0, carries.length);
    const [time] = (xs as TensorType).shape;
    const [state] = states as [TensorType];
    return [...states, { dtype: state.dtype, shape: [time as number, ...state.shape] }];
  },
  evaluate: refuse,
  vjp: refuse,
  jvp: refuse,
};

/**
 * The Program with every recognized loop as one operation, and with functions that have a way back of their own as what they do.
 * @param isWeight says which of its inputs are parameters: an operator's weights must be constants
 */
export function recognizeCells(program: Program, isWeight: (input: number) => boolean): Program {
  return trace(
    (...tracers) => {
      const weights = new Set(tracers.filter((_, index) => isWeight(index)));
      const apply: typeof bind = (primitive, inputs, params) =>
        (primitive as Primitive) === scanPrimitive
          ? (applyNative(inputs, params as ScanParams, weights) ?? bind(primitive, inputs, params))
          : bindExpanded(primitive, inputs, params);
      return inline(program, tracers, apply);
    },
    program.inputs.map(({ type }) => type),
  ).program;
}

function applyNative(
  inputs: readonly Tensor[],
  scan: ScanParams,
  weights: ReadonlySet<Tensor>,
): readonly Tensor[] | undefined {
  const [state, xs] = [inputs[0], inputs[scan.carries]];
  const fits =
    scan.slices === 1 &&
    scan.carries >= 1 &&
    xs?.dtype === "float32" &&
    xs.shape.length === 3 &&
    state?.shape.length === 2;
  if (!fits) return undefined;
  const { program: body, captured } = optimize(scan.body);
  if (captured.length > 0) return undefined;
  const sizes = { inputSize: xs.shape[2] as number, hiddenSize: state.shape[1] as number };
  for (const [name, cell] of Object.entries(NATIVE_CELLS)) {
    if (!hasWeightsOf(cell, sizes, body.inputs.slice(firstConstant(scan)))) continue;
    const found = recognize(cell, sizes, body, scan);
    if (found === undefined) continue;
    const operands = found.inputs.map((index) => inputs[index] as Tensor);
    const { carries, weights: names } = found;
    if (!operands.slice(1 + carries.length).every((operand) => weights.has(operand))) return undefined;
    const params: NativeParams = { cell: name, reverse: scan.reverse, carries, weights: names };
    const outputs = bind(nativePrimitive, [xs, ...operands.slice(1)], params);
    const last = scan.body.outputs.slice(scan.carries).map(() => outputs.at(-1) as Tensor);
    return [...found.order.map((index) => outputs[index] as Tensor), ...last];
  }
  return undefined;
}

/** Whether constants have the shapes of a cell's parameters, in any order: spares most of the comparisons. */
function hasWeightsOf(cell: NativeCell, sizes: Sizes, constants: readonly Variable[]): boolean {
  const listed = (shapes: readonly Shape[]): string => shapes.map(String).sort().join(" ");
  return listed(constants.map(({ type }) => type.shape)) === listed(Object.values(weightShapes(cell, sizes)));
}

interface Recognized {
  /** Inputs of the scan: the sequence, the carries and the weights, as the operator takes them. */
  readonly inputs: readonly number[];
  readonly carries: readonly string[];
  readonly weights: readonly string[];
  /** Which carry of the operator each carry of the scan is. */
  readonly order: readonly number[];
}

function recognize(cell: NativeCell, sizes: Sizes, body: Program, scan: ScanParams): Recognized | undefined {
  const pattern = patternOf(cell, sizes, (body.inputs[0] as Variable).type.shape[0] as number);
  const { carries, weights, program } = pattern;
  if (carries.length !== scan.carries) return undefined;
  const slice = body.inputs[scan.carries] as Variable;
  const output = program.outputs.at(-1) as Variable;
  for (const order of permutations(carries.length)) {
    const bound = new Map([[program.inputs[carries.length] as Variable, slice]]);
    const pairs: [Variable, Variable][] = [];
    order.forEach((own, index) => {
      bound.set(program.inputs[own] as Variable, body.inputs[index] as Variable);
      pairs.push([program.outputs[own] as Variable, body.outputs[index] as Variable]);
    });
    for (const result of body.outputs.slice(scan.carries)) pairs.push([output, result]);
    const free = new Set(body.inputs.slice(firstConstant(scan)));
    const bindings = matchProgram(program, body, pairs, bound, free);
    if (bindings === undefined) continue;
    const inputOf = (variable: Variable) => body.inputs.indexOf(bindings.get(variable) as Variable);
    const parameters = program.inputs.slice(carries.length + 1).map(inputOf);
    return {
      inputs: [scan.carries, ...carries.map((_, own) => order.indexOf(own)), ...parameters],
      carries,
      weights,
      order,
    };
  }
  return undefined;
}

interface Sizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
}

/** One step of a cell as a Program: from carries, input and parameters to carries and output. */
function patternOf(cell: NativeCell, sizes: Sizes, batchSize: number) {
  const { initialCarry, step } = cell.make(sizes);
  const carry = flattenTree(initialCarry(batchSize), isTensor);
  const shapes = weightShapes(cell, sizes);
  const weights = Object.keys(shapes);
  const types = [[batchSize, sizes.inputSize], ...Object.values(shapes)].map(
    (shape): TensorType => ({ dtype: "float32", shape }),
  );
  const { program, captured } = trace(
    (...tracers) => {
      const state = unflattenTree(carry.definition, tracers.slice(0, carry.leaves.length));
      const [x, ...parameters] = tracers.slice(carry.leaves.length) as [Tensor, ...Tensor[]];
      const params = Object.fromEntries(weights.map((name, index) => [name, parameters[index] as Tensor]));
      const [next, y] = step(params, state, x);
      return [...flattenTree(next, isTensor).leaves, y];
    },
    [...carry.leaves, ...types],
  );
  const { program: tidy, captured: more } = optimize(program);
  if (captured.length + more.length > 0) throw new ToolkitError("trace", "onnxRecurrent: a pattern has constants");
  return { program: tidy, carries: carry.paths, weights };
}

/** All orders of 0, 1, ..., count - 1. */
const permutations = (count: number): number[][] =>
  count === 0
    ? [[]]
    : permutations(count - 1).flatMap((order) =>
        Array.from({ length: count }, (_, place) => order.toSpliced(place, 0, count - 1)),
      );
