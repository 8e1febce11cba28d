/** Whether a Program computes what a pattern computes: the same operations, whatever the order of summands, factors and constants. */

import { type Equation, type Program, producersOf, type Variable } from "../../program/index.js";
import { sameType } from "../../tensor/index.js";

/** What the variables of a pattern stand for. */
export type Bindings = ReadonlyMap<Variable, Variable>;

/** Operations whose operands may stand in any order and be put in brackets in any way. */
const COMMUTATIVE: ReadonlySet<string> = new Set(["add", "multiply", "maximum", "minimum"]);

type Producers = ReadonlyMap<Variable, Equation>;

/** Parameters as text that differs for different parameters: JSON alone writes null for NaN and infinities, 0 for -0. */
const paramsText = (params: unknown): string =>
  JSON.stringify(params, (_, value) =>
    typeof value === "number" ? (Object.is(value, -0) ? "-0" : `${value}`) : value,
  );

/**
 * Finds what the inputs of a pattern stand for, so that given outputs of both are equal.
 * @param pairs outputs of the pattern and what they must be in the Program
 * @param bound what some inputs of the pattern stand for
 * @param free what the other inputs may stand for
 * @returns undefined if the Program computes something else; never a wrong answer, but some rewritings are not seen through
 */
export function matchProgram(
  pattern: Program,
  program: Program,
  pairs: readonly (readonly [Variable, Variable])[],
  bound: Bindings,
  free: ReadonlySet<Variable>,
): Bindings | undefined {
  const [wanted, found] = [producersOf(pattern), producersOf(program)];

  function* match(p: Variable, v: Variable, bindings: Bindings): Generator<Bindings> {
    const known = bindings.get(p);
    if (known !== undefined) {
      if (known === v) yield bindings;
      return;
    }
    if (!sameType(p.type, v.type)) return;
    const [mine, other] = [wanted.get(p), found.get(v)];
    if (mine === undefined) {
      if (free.has(v)) yield new Map([...bindings, [p, v]]);
      return;
    }
    const isSame =
      other !== undefined &&
      mine.primitive.name === other.primitive.name &&
      mine.outputs.indexOf(p) === other.outputs.indexOf(v) &&
      paramsText(mine.params) === paramsText(other.params);
    if (!isSame) return;
    const operands = COMMUTATIVE.has(mine.primitive.name)
      ? matchInAnyOrder(termsOf(p, mine.primitive.name, wanted), termsOf(v, mine.primitive.name, found), bindings)
      : matchInOrder(mine.inputs, other.inputs, bindings);
    for (const inner of operands) yield new Map([...inner, [p, v]]);
  }

  function* matchInOrder(ps: readonly Variable[], vs: readonly Variable[], bindings: Bindings): Generator<Bindings> {
    if (ps.length !== vs.length) return;
    const [p, v] = [ps[0], vs[0]];
    if (p === undefined || v === undefined) yield bindings;
    else for (const inner of match(p, v, bindings)) yield* matchInOrder(ps.slice(1), vs.slice(1), inner);
  }

  function* matchInAnyOrder(ps: readonly Variable[], vs: readonly Variable[], bindings: Bindings): Generator<Bindings> {
    if (ps.length !== vs.length) return;
    const [p] = ps;
    if (p === undefined) yield bindings;
    else {
      for (const [index, v] of vs.entries()) {
        for (const inner of match(p, v, bindings)) yield* matchInAnyOrder(ps.slice(1), vs.toSpliced(index, 1), inner);
      }
    }
  }

  const [patterns, targets] = [pairs.map(([p]) => p), pairs.map(([, v]) => v)];
  return matchInOrder(patterns, targets, bound).next().value ?? undefined;
}

/** The summands of a sum of sums, or the factors of a product of products. */
function termsOf(variable: Variable, name: string, producers: Producers): Variable[] {
  const made = producers.get(variable);
  if (made?.primitive.name !== name) return [variable];
  return made.inputs.flatMap((input) => termsOf(input, name, producers));
}
