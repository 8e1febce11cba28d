/** Products with one first operand, read transposed (the weight gradients of a layer): one product, so that it is read and transposed once. */

import { type Equation, type Program, Variable } from "../program/index.js";
import { concatenation, partition } from "./concatenation.js";
import { isMatrixProduct } from "./form-products.js";

/** The same Program with such products joined, where the last of them stands. Their results are slices of the joined one. */
export function joinProducts(program: Program): Program {
  const families = new Map<Variable, number[]>();
  const firstRead = new Map<Variable, number>();
  program.equations.forEach((equation, index) => {
    for (const input of equation.inputs) if (!firstRead.has(input)) firstRead.set(input, index);
    const [a] = equation.inputs as [Variable];
    if (isWeightGradient(equation)) families.set(a, [...(families.get(a) ?? []), index]);
  });
  const replaced = new Map<number, Equation[]>();
  for (const family of families.values()) {
    const last = family.at(-1) as number;
    // Results that nothing reads before there.
    const joined = family.filter((index) => {
      const [output] = (program.equations[index] as Equation).outputs as [Variable];
      return (firstRead.get(output) ?? last) >= last;
    });
    if (joined.length < 2) continue;
    for (const index of joined) replaced.set(index, []);
    replaced.set(last, join(joined.map((index) => program.equations[index] as Equation)));
  }
  return { ...program, equations: program.equations.flatMap((equation, index) => replaced.get(index) ?? [equation]) };
}

function isWeightGradient(equation: Equation): boolean {
  if (!isMatrixProduct(equation)) return false;
  const { transposeA, transposeB } = equation.params as { transposeA: boolean; transposeB: boolean };
  return transposeA && !transposeB;
}

function join(products: readonly Equation[]): Equation[] {
  const [first] = products as [Equation];
  const [a] = first.inputs as [Variable];
  const together = concatenation(products.map(({ inputs }) => inputs[1]) as [Variable, ...Variable[]], 1);
  const [parts] = together.outputs as [Variable];
  const wide = new Variable({ dtype: "float32", shape: [a.type.shape[1] as number, parts.type.shape[1] as number] });
  const results = products.flatMap(({ outputs }) => outputs);
  return [together, { ...first, inputs: [a, parts], outputs: [wide] }, ...partition(wide, results, 1)];
}
