/** A step of a cell with masks in its middle: where the carry enters matrix products, and where the step makes the next carry. */

import { unflattenTree } from "../../core/index.js";
import { multiply } from "../../ops/index.js";
import { bind, type Equation, type Program, producersOf, type Variable } from "../../program/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import { traceTree } from "../../transforms/index.js";

/** Factors for tensors of the carry, by their paths. */
export type CarryMasks = Readonly<Record<string, Tensor>>;

/** Where a step is masked. */
export interface StepMasks {
  /**
   * Every matrix product of the step is computed as if the step had been given carry ⊙ mask; all else sees the carry as it is:
   * z ⊙ h of a GRU and c of an LSTM stay whole. A loop inside the step counts as one product.
   */
  readonly products?: CarryMasks;
  /** Parts of the next carry are multiplied as soon as they are made: what the step computes from them sees the product. */
  readonly carry?: CarryMasks;
}

/** What a masked step gave, and whether there was a product that its mask could act on. */
export interface MaskedStep<Carry extends TensorTree> {
  readonly carry: Carry;
  readonly y: Tensor;
  readonly masksProducts: boolean;
}

/**
 * Takes a step with masks. The step is traced, and its operations are applied again with the masks between them. A value on the way
 * from the carry to a product is computed twice: from the carry, and from the masked carry for the product.
 */
export function maskedStep<Carry extends TensorTree>(
  step: (carry: Carry) => readonly [carry: Carry, y: Tensor],
  given: Carry,
  masks: StepMasks,
): MaskedStep<Carry> {
  const { program, inputs, paths, result } = traceTree(step, [given]);
  const producer = producersOf(program);
  const values = new Map(program.inputs.map((variable, index) => [variable, inputs[index] as Tensor]));
  const maskedValues = new Map<Variable, Tensor>();
  const maskOf = new Map<Variable, Tensor>();
  paths.forEach((path, index) => {
    const name = path.slice("0.".length);
    const [ofProducts, ofCarry] = [masks.products?.[name], masks.carry?.[name]];
    if (ofProducts) maskedValues.set(program.inputs[index] as Variable, multiply(inputs[index] as Tensor, ofProducts));
    if (ofCarry) maskOf.set(program.outputs[index] as Variable, ofCarry);
  });

  const plainOf = (variable: Variable): Tensor => values.get(variable) as Tensor;
  const run = ({ primitive, params, outputs }: Equation, operands: readonly Tensor[], into: Map<Variable, Tensor>) => {
    bind(primitive, operands, params).forEach((value, index) => {
      const variable = outputs[index] as Variable;
      const mask = maskOf.get(variable);
      into.set(variable, mask ? multiply(value, mask) : value);
    });
  };
  const maskedOf = (variable: Variable): Tensor => {
    const known = maskedValues.get(variable);
    if (known !== undefined) return known;
    const equation = producer.get(variable);
    const operands = equation === undefined || isProduct(equation) ? [] : equation.inputs.map(maskedOf);
    if (equation && operands.some((operand, index) => operand !== plainOf(equation.inputs[index] as Variable)))
      run(equation, operands, maskedValues);
    else maskedValues.set(variable, plainOf(variable));
    return maskedValues.get(variable) as Tensor;
  };
  let masksProducts = false;
  for (const equation of program.equations) {
    const plain = equation.inputs.map(plainOf);
    const operands = isProduct(equation) ? equation.inputs.map(maskedOf) : plain;
    masksProducts ||= operands.some((operand, index) => operand !== plain[index]);
    run(equation, operands, values);
  }
  const [carry, y] = unflattenTree(result, program.outputs.map(plainOf)) as unknown as [Carry, Tensor];
  return { carry, y, masksProducts };
}

/** A matrix product, or an operation with one in its body. */
function isProduct({ primitive, params }: Equation): boolean {
  const { body } = (params ?? {}) as { readonly body?: Program };
  return primitive.prefersBatch === true || (body?.equations.some(isProduct) ?? false);
}
