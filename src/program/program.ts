/** The intermediate representation: a Program is a list of equations over typed variables. */

import type { Tensor, TensorType, View } from "../tensor/index.js";

/** One value of a Program, defined once: by being an input, or by the equation that outputs it. */
export class Variable {
  readonly type: TensorType;

  constructor(type: TensorType) {
    this.type = { dtype: type.dtype, shape: type.shape };
  }
}

/** `outputs = primitive[params](inputs)` */
export interface Equation {
  readonly primitive: Primitive;
  readonly params: unknown;
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
}

/** A pure function from tensors to tensors, every type known. Equations stand in an order in which they can run. */
export interface Program {
  readonly inputs: readonly Variable[];
  readonly equations: readonly Equation[];
  readonly outputs: readonly Variable[];
}

/** `undefined` stands for a tangent or cotangent that is zero, or of an integer. */
export type Derivative = Tensor | undefined;

/** Outputs of an operation and the function that takes their cotangents back to its inputs. */
export interface Linearized {
  readonly outputs: readonly Tensor[];
  /** Takes cotangents of the outputs to cotangents of the inputs. */
  readonly pullback: (cotangents: readonly Derivative[]) => readonly Derivative[];
}

/** Outputs of an operation and their tangents. */
export interface Pushed {
  readonly outputs: readonly Tensor[];
  readonly tangents: readonly Derivative[];
}

/** Which inputs and outputs of an equation are left after those that nobody reads are gone. */
export interface Pruned<Params> {
  readonly params: Params;
  readonly keptInputs: readonly number[];
  readonly keptOutputs: readonly number[];
}

/**
 * Everything about one operation. All rules are required, so a missing one does not type-check.
 *
 * The derivative rules run the operation themselves and are written in terms of other operations, so that
 * their results can be traced and differentiated again.
 */
// biome-ignore lint/suspicious/noExplicitAny: each primitive has parameters of its own, known only to its rules.
export interface Primitive<Params = any> {
  readonly name: string;
  /** The output holds the elements of the only input in their order, so a Plan may let both share memory. Default false. */
  readonly alias?: boolean;
  /** Element k of the output is computed from element k of each input, so a Plan may fuse it with others like it. Default false. */
  readonly pointwise?: boolean;
  /** Output types. @throws ShapeError or DTypeError if the inputs do not fit */
  infer(inputs: readonly TensorType[], params: Params): readonly TensorType[];
  /** The reference evaluation: writes every element of `outputs`, which share no memory with `inputs`. */
  evaluate(inputs: readonly View[], outputs: readonly View[], params: Params): void;
  /** Reverse mode. `active[k]` says whether the gradient of input k is wanted. */
  vjp(inputs: readonly Tensor[], params: Params, active: readonly boolean[]): Linearized;
  /** Forward mode. */
  jvp(inputs: readonly Tensor[], tangents: readonly Derivative[], params: Params): Pushed;
  /**
   * The operation on `length` sets of inputs at once. Inputs marked `batched` have a new first axis, the others are the same for all
   * sets. Undefined if this cannot be done in one operation.
   */
  batch?(
    inputs: readonly Tensor[],
    params: Params,
    batched: readonly boolean[],
    length: number,
  ): readonly Tensor[] | undefined;
  /** One large application is much faster than many small ones, so it is worth taking out of a loop. Default false. */
  readonly prefersBatch?: boolean;
  /** The only output is linear in the only input, so a sum over applications is one application to a sum. Default false. */
  readonly linear?: boolean;
  /** For operations with several outputs: what is left when only `used` outputs are read. */
  prune?(params: Params, inputCount: number, used: readonly boolean[]): Pruned<Params>;
  /** Parameters as text, for the printer; Programs inside are handed to `printProgram`. */
  print?(params: Params, printProgram: (program: Program) => string): string;
}

/** The equation that computes each variable. The inputs of the Program have none. */
export const producersOf = ({ equations }: Program): ReadonlyMap<Variable, Equation> =>
  new Map(equations.flatMap((equation) => equation.outputs.map((output) => [output, equation] as const)));

/** How often each variable is read: by equations, and as an output of the Program. */
export function readerCounts(program: Program): Map<Variable, number> {
  const counts = new Map<Variable, number>();
  const count = (variable: Variable) => counts.set(variable, (counts.get(variable) ?? 0) + 1);
  for (const { inputs } of program.equations) inputs.forEach(count);
  program.outputs.forEach(count);
  return counts;
}
