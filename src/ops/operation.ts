/** How an operation with one output is defined: one record with all its rules. */

import { OptionError } from "../core/index.js";
import { bind, type Derivative, type Primitive } from "../program/index.js";
import type { Tensor, TensorType, View } from "../tensor/index.js";

/** What a derivative rule may use: the operands, the result, and the parameters. */
export interface Applied<Params> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly params: Params;
}

/** The record of one operation. */
export interface OperationRules<Params> {
  readonly name: string;
  /** The output holds the elements of the only input in their order. Default false. */
  readonly alias?: boolean;
  /** Shape rule. @throws ShapeError or DTypeError if the inputs do not fit */
  infer(inputs: readonly TensorType[], params: Params): TensorType;
  /** Reference evaluation into `output`, which shares no memory with `inputs`. */
  evaluate(inputs: readonly View[], output: View, params: Params): void;
  /** Cotangents of the inputs, given that of the output. Only those marked `active` are read. */
  vjp(cotangent: Tensor, applied: Applied<Params>, active: readonly boolean[]): readonly Derivative[];
  /**
   * Tangent of the output, given those of the inputs, of which at least one is not zero. `"linear"`, for an operation
   * with one input: the operation itself, applied to the tangent.
   */
  readonly jvp: "linear" | ((tangents: readonly Derivative[], applied: Applied<Params>) => Derivative);
  /** The operation on many sets of inputs at once; see `Primitive.batch`. Default: it cannot be done. */
  batch?(inputs: readonly Tensor[], params: Params, batched: readonly boolean[], length: number): Tensor | undefined;
  /** See `Primitive.pointwise`. Default false. */
  readonly pointwise?: boolean;
  /** See `Primitive.prefersBatch`. Default false. */
  readonly prefersBatch?: boolean;
}

/** An operation with one output, ready to be applied. */
export interface Operation<Params> {
  (inputs: readonly Tensor[], params: Params): Tensor;
  readonly primitive: Primitive<Params>;
}

/** Names of the operations of this package: compilers know them by their names. */
const ownNames = new Set<string>();
let isComplete = false;

/** Called when all operations of this package are defined: from then on, no other one can take their names. */
export function reserveNames(): void {
  isComplete = true;
}

/**
 * Turns a record into an operation.
 * @throws OptionError if its name is that of an operation of this package
 */
export function defineOperation<Params>(rules: OperationRules<Params>): Operation<Params> {
  if (!isComplete) ownNames.add(rules.name);
  else if (ownNames.has(rules.name))
    throw new OptionError(`defineOperation: there is an operation "${rules.name}" already; choose another name`);
  const primitive: Primitive<Params> = {
    name: rules.name,
    alias: rules.alias ?? false,
    pointwise: rules.pointwise ?? false,
    prefersBatch: rules.prefersBatch ?? false,
    linear: rules.jvp === "linear",
    batch: (inputs, params, batched, length) => {
      const output = rules.batch?.(inputs, params, batched, length);
      return output && [output];
    },
    infer: (inputs, params) => [rules.infer(inputs, params)],
    evaluate: (inputs, outputs, params) => rules.evaluate(inputs, outputs[0] as View, params),
    vjp: (inputs, params, active) => {
      const output = apply(inputs, params);
      return {
        outputs: [output],
        pullback: ([cotangent]) =>
          cotangent === undefined ? [] : rules.vjp(cotangent, { inputs, output, params }, active),
      };
    },
    jvp: (inputs, tangents, params) => {
      const output = apply(inputs, params);
      const push = (): Derivative =>
        rules.jvp === "linear"
          ? apply(tangents as readonly Tensor[], params)
          : rules.jvp(tangents, { inputs, output, params });
      const known = tangents.some((tangent) => tangent !== undefined);
      return { outputs: [output], tangents: [known ? push() : undefined] };
    },
  };
  const apply = (inputs: readonly Tensor[], params: Params): Tensor => bind(primitive, inputs, params)[0] as Tensor;
  return Object.assign(apply, { primitive });
}
