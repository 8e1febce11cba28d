/**
 * h U + x W with x W computed before the loop, as hoisting leaves it: one product of [x h] in each step, where its terms stay in the cache. So x W is
 * never in memory for all steps.
 */

import { type Equation, type Program, producersOf, pruneProgram, readerCounts, Variable } from "../program/index.js";
import { firstConstant, type ScanParams, scanPrimitive, stepType } from "../scan/index.js";
import { sameShape } from "../tensor/index.js";
import { repeatedRow } from "./form-products.js";
import { inBody } from "./in-body.js";
import {
  bothWays,
  FEWEST_ROWS,
  isPlainProduct,
  type MadeForOne,
  MOST_TERMS,
  makersForOne,
  matrixOfBoth,
  productOfBoth,
  transposesSecond,
} from "./product-of-both.js";

type Producers = ReadonlyMap<Variable, Equation>;

/** A product before a loop, and the one in it to whose result a step of it is added. */
interface Pair {
  /** The input of the loop that holds the outer product. */
  readonly index: number;
  /** x of all steps, `[time, rows, terms]`. */
  readonly sequence: Variable;
  readonly outer: Equation;
  readonly inner: Equation;
  readonly sum: Equation;
  /** A row that is added to the outer product. */
  readonly bias: Variable | undefined;
}

/** The same Program with such products joined. */
export function joinInputs(program: Program): Program {
  const producers = producersOf(program);
  const madeForOne = makersForOne(program, producers);
  const equations = program.equations.flatMap((equation): Equation[] => {
    if (equation.primitive !== scanPrimitive) return [equation];
    const loop = inBody(equation, (body) => joinInputs(body));
    const pair = pairOf(loop, producers, madeForOne);
    return pair !== undefined && isWorthIt(pair) ? join(loop, pair) : [loop];
  });
  return pruneProgram({ ...program, equations });
}

function isWorthIt({ sequence, inner: { inputs } }: Pair): boolean {
  const [time, rows, terms] = sequence.type.shape as [number, number, number];
  const [, innerTerms] = (inputs[0] as Variable).type.shape as [number, number];
  return time > 1 && rows >= FEWEST_ROWS && terms + innerTerms <= MOST_TERMS;
}

function pairOf({ inputs, params }: Equation, producers: Producers, madeForOne: MadeForOne): Pair | undefined {
  const scan = params as ScanParams;
  const { body, carries } = scan;
  const within = producersOf(body);
  const readers = readerCounts(body);
  for (const sum of body.equations.filter(({ primitive }) => primitive.name === "add")) {
    for (const [first, second] of bothWays(sum)) {
      const index = body.inputs.indexOf(first);
      const inner = within.get(second);
      if (index < carries || index >= firstConstant(scan) || readers.get(first) !== 1) continue;
      if (inner === undefined || !isPlainProduct(inner) || readers.get(second) !== 1) continue;
      if (body.inputs.indexOf(inner.inputs[1] as Variable) < firstConstant(scan)) continue;
      const found = outerOf(inputs[index] as Variable, producers, madeForOne);
      if (found !== undefined && transposesSecond(found.outer) === transposesSecond(inner))
        return { index, inner, sum, ...found };
    }
  }
  return undefined;
}

/** The product of a sequence, with or without a row that is added to it, if a stack is that and nothing else reads it. */
function outerOf(
  stack: Variable,
  producers: Producers,
  madeForOne: MadeForOne,
): Pick<Pair, "outer" | "sequence" | "bias"> | undefined {
  const made = madeForOne(stack);
  const [time, rows, columns] = stack.type.shape as [number, number, number];
  if (made?.primitive.name === "reshape") {
    const outer = madeForOne(made.inputs[0] as Variable);
    const flat = outer && isPlainProduct(outer) ? producers.get(outer.inputs[0] as Variable) : undefined;
    const sequence = flat?.primitive.name === "reshape" ? (flat.inputs[0] as Variable) : undefined;
    const isOfSteps = sequence && sameShape(sequence.type.shape.slice(0, -1), [time, rows]);
    return isOfSteps ? { outer: outer as Equation, sequence, bias: undefined } : undefined;
  }
  if (made?.primitive.name !== "add") return undefined;
  for (const [product, addend] of bothWays(made)) {
    const found = outerOf(product, producers, madeForOne);
    const bias = repeatedRow(addend, [time * rows, columns], producers);
    if (found !== undefined && found.bias === undefined && bias?.type.shape.length === 1) return { ...found, bias };
  }
  return undefined;
}

/** The loop with x instead of its product, behind the joined matrix. */
function join(loop: Equation, { index, sequence, outer, inner, sum, bias }: Pair): Equation[] {
  const params = loop.params as ScanParams;
  const { body } = params;
  const innerMatrix = loop.inputs[body.inputs.indexOf(inner.inputs[1] as Variable)] as Variable;
  const weights = matrixOfBoth(outer, innerMatrix);
  const given = [weights.outputs[0] as Variable, ...(bias === undefined ? [] : [bias])];
  const received = given.map(({ type }) => new Variable(type));
  const x = new Variable(stepType(sequence.type));
  const joined = productOfBoth(inner, sum, x, received[0] as Variable, received[1]);
  const inside: Program = {
    ...body,
    inputs: [...body.inputs.with(index, x), ...received],
    equations: body.equations.flatMap((equation) => (equation === inner ? [] : equation === sum ? joined : [equation])),
  };
  const inputs = [...loop.inputs.with(index, sequence), ...given];
  return [weights, { ...loop, params: { ...params, body: inside } satisfies ScanParams, inputs }];
}
