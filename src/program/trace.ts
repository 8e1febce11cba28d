/**
 * Tracing: running a function on stand-ins for tensors and writing down what it does.
 *
 * Traces nest. A tensor that belongs to an outer trace, or is concrete, and is used in an inner one becomes an
 * additional input of the inner Program: it is *captured*. That one rule gives loop invariants of scan, residuals
 * of reverse mode, and constants.
 */

import { ToolkitError, TraceError } from "../core/index.js";
import {
  allocate,
  type DType,
  formatType,
  HostTensor,
  type Shape,
  sizeOf,
  type Tensor,
  type TensorType,
} from "../tensor/index.js";
import { type Equation, type Primitive, type Program, Variable } from "./program.js";

/** Stands for a variable while a function is traced. */
export class TracedTensor implements Tensor {
  readonly variable: Variable;
  readonly trace: Trace;
  readonly dtype: DType;
  readonly shape: Shape;

  constructor(variable: Variable, trace: Trace) {
    this.variable = variable;
    this.trace = trace;
    this.dtype = variable.type.dtype;
    this.shape = variable.type.shape;
  }

  get data(): never {
    throw new TraceError(
      `the numbers of ${formatType(this)} are not known while a function is traced; ` +
        "use operations such as select instead of reading data, or return the tensor and read it outside",
    );
  }

  toString(): string {
    return `traced ${formatType(this)}`;
  }
}

/** A Program under construction. */
class Trace {
  readonly equations: Equation[] = [];
  readonly captured = new Map<Tensor, Variable>();

  constructor(readonly outer: Trace | undefined) {}

  isInside(trace: Trace): boolean {
    for (let level: Trace | undefined = this; level !== undefined; level = level.outer) {
      if (level === trace) return true;
    }
    return false;
  }

  variableOf(tensor: Tensor): Variable {
    if (tensor instanceof TracedTensor) {
      if (tensor.trace === this) return tensor.variable;
      if (!this.isInside(tensor.trace)) {
        throw new TraceError(
          `a traced ${formatType(tensor)} was used after its trace had ended; ` +
            "return it from the traced function (or put it into the carry) instead of keeping it in a variable outside",
        );
      }
    }
    let variable = this.captured.get(tensor);
    if (variable === undefined) {
      variable = new Variable(tensor);
      this.captured.set(tensor, variable);
    }
    return variable;
  }

  record(primitive: Primitive, params: unknown, inputs: readonly Tensor[], types: readonly TensorType[]): Tensor[] {
    const outputs = types.map((type) => new Variable(type));
    this.equations.push({ primitive, params, inputs: inputs.map((input) => this.variableOf(input)), outputs });
    return outputs.map((variable) => new TracedTensor(variable, this));
  }
}

let current: Trace | undefined;

/** A Program, and the tensors from outside that it reads through its last inputs. */
export interface TracedProgram {
  readonly program: Program;
  readonly captured: readonly Tensor[];
}

/**
 * Writes down what a function does to inputs of the given types.
 * @returns the Program, its inputs those of the function followed by one for each captured tensor
 */
export function trace(traced: (...inputs: Tensor[]) => readonly Tensor[], types: readonly TensorType[]): TracedProgram {
  const level = new Trace(current);
  const inputs = types.map((type) => new Variable(type));
  current = level;
  try {
    const results = traced(...inputs.map((variable) => new TracedTensor(variable, level)));
    const outputs = results.map((result) => level.variableOf(result));
    return {
      program: { inputs: [...inputs, ...level.captured.values()], equations: level.equations, outputs },
      captured: [...level.captured.keys()],
    };
  } finally {
    current = level.outer;
  }
}

/** Whether a function is being traced right now. */
export const isTracing = (): boolean => current !== undefined;

/** A concrete tensor as a constant of the function being traced, if there is one: what is done to it alone is written down, too. */
export const lift = (tensor: Tensor): Tensor =>
  current === undefined || tensor instanceof TracedTensor
    ? tensor
    : new TracedTensor(current.variableOf(tensor), current);

/**
 * Applies an operation: evaluated at once on concrete tensors, written down when a function is traced. While a function
 * is traced, an operation on concrete tensors alone is still evaluated at once, and its result becomes a constant.
 */
export function bind<Params>(
  primitive: Primitive<Params>,
  inputs: readonly Tensor[],
  params: Params,
): readonly Tensor[] {
  const types = primitive.infer(inputs, params);
  const concrete = inputs.every((input) => input instanceof HostTensor);
  if (current !== undefined && (!concrete || inputs.length === 0))
    return current.record(primitive, params, inputs, types);
  if (!concrete) {
    throw new TraceError(
      `${primitive.name}: a traced tensor was used after its trace had ended; ` +
        "return it from the traced function instead of keeping it in a variable outside",
    );
  }
  const outputs = types.map((type) => new HostTensor(type, allocate(type.dtype, sizeOf(type.shape))));
  primitive.evaluate(inputs as readonly HostTensor[], outputs, params);
  return outputs;
}

/** Computes a Program on concrete tensors, operation by operation, even while another function is traced. */
export function evaluateProgram(program: Program, inputs: readonly Tensor[]): HostTensor[] {
  const outer = current;
  current = undefined;
  try {
    return inline(program, inputs) as HostTensor[];
  } finally {
    current = outer;
  }
}

/**
 * Applies a Program to tensors, operation by operation: at once, or into the Program being traced.
 * @param apply what is done for each operation. Default: `bind`
 */
export function inline(program: Program, inputs: readonly Tensor[], apply: typeof bind = bind): Tensor[] {
  if (inputs.length !== program.inputs.length) {
    throw new ToolkitError(
      "trace",
      `inline: the Program has ${program.inputs.length} inputs, but ${inputs.length} were given`,
    );
  }
  const values = new Map<Variable, Tensor>(
    program.inputs.map((variable, index) => [variable, inputs[index] as Tensor]),
  );
  const lookUp = (variable: Variable) => values.get(variable) as Tensor;
  for (const { primitive, params, inputs: operands, outputs } of program.equations) {
    const results = apply(primitive, operands.map(lookUp), params);
    outputs.forEach((variable, index) => {
      values.set(variable, results[index] as Tensor);
    });
  }
  return program.outputs.map(lookUp);
}
