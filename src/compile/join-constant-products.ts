/**
 * h U + x W outside of loops, of matrices that are the same at every run (a streamed step): one product of [x h]. There is then one matrix, of which
 * kernels that read from alternate ends find the part in the cache that they read last; between two, each would drive out the other.
 */

import { type Equation, type Program, producersOf, pruneProgram, type Variable } from "../program/index.js";
import { repeatedRow } from "./form-products.js";
import {
  bothWays,
  FEWEST_ROWS,
  isPlainProduct,
  MOST_TERMS,
  makersForOne,
  matrixOfBoth,
  productOfBoth,
  transposesSecond,
} from "./product-of-both.js";

/**
 * The same Program with such products joined.
 * @param constants inputs of the Program that are the same at every run
 */
export function joinConstantProducts(program: Program, constants: { has(variable: Variable): boolean }): Program {
  const producers = producersOf(program);
  const madeForOne = makersForOne(program, producers);
  const productOf = (variable: Variable): Equation | undefined => {
    const made = madeForOne(variable);
    return made && isPlainProduct(made) && constants.has(made.inputs[1] as Variable) ? made : undefined;
  };
  /** A product with or without a row that is added to it. */
  const firstOf = (variable: Variable): { product: Equation; row?: Variable } | undefined => {
    const product = productOf(variable);
    if (product !== undefined) return { product };
    const made = madeForOne(variable);
    if (made?.primitive.name !== "add") return undefined;
    for (const [inner, addend] of bothWays(made)) {
      const found = productOf(inner);
      if (found === undefined) continue;
      const row = repeatedRow(addend, variable.type.shape as [number, number], producers);
      if (row?.type.shape.length === 1) return { product: found, row };
    }
    return undefined;
  };
  const joined = new Set<Equation>();
  const equations = program.equations.flatMap((sum): Equation[] => {
    if (sum.primitive.name !== "add") return [sum];
    for (const [first, second] of bothWays(sum)) {
      const [outer, inner] = [firstOf(first), productOf(second)];
      if (outer === undefined || inner === undefined || !isWorthIt(outer.product, inner)) continue;
      const { product, row } = outer;
      joined.add(inner);
      const weights = matrixOfBoth(product, inner.inputs[1] as Variable);
      const [matrix] = weights.outputs as [Variable];
      return [weights, ...productOfBoth(inner, sum, product.inputs[0] as Variable, matrix, row)];
    }
    return [sum];
  });
  return pruneProgram({ ...program, equations: equations.filter((equation) => !joined.has(equation)) });
}

function isWorthIt(first: Equation, second: Equation): boolean {
  const [[rows, terms], [, moreTerms]] = [first, second].map(({ inputs }) => (inputs[0] as Variable).type.shape) as [
    [number, number],
    [number, number],
  ];
  const fits = rows < FEWEST_ROWS || terms + moreTerms <= MOST_TERMS;
  return fits && transposesSecond(first) === transposesSecond(second);
}
