/**
 * h U + x W with x W computed before the loop, as hoisting leaves it: one product of [x h] in each step, where its terms stay in the cache. So x W is
 * never in memory for all steps.
 */

import { broadcastPrimitive } from "../ops/index.js";
import { type Equation, type Program, producersOf, pruneProgram, readerCounts, Variable } from "../program/index.js";
import { firstConstant, type ScanParams, scanPrimitive, stepType } from "../scan/index.js";
import { sameShape } from "../tensor/index.js";
import { concatenation } from "./concatenation.js";
import { isMatrixProduct, repeatedRow } from "./form-products.js";
import { inBody } from "./in-body.js";

/** Most terms: a panel of a packed matrix with more would not stay in the cache while rows go past it. */
export const MOST_TERMS = 512;

/** Fewest rows: for fewer, reading both matrices at each step takes longer than the rows. */
export const FEWEST_ROWS = 16;

type Producers = ReadonlyMap<Variable, Equation>;

/** Finds what makes a variable that is read once. */
type MadeForOne = (variable: Variable) => Equation | undefined;

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
  const readers = readerCounts(program);
  const madeForOne: MadeForOne = (variable) => (readers.get(variable) === 1 ? producers.get(variable) : undefined);
  const equations = program.equations.flatMap((equation): Equation[] => {
    if (equation.primitive !== scanPrimitive) return [equation];
    const loop = inBody(equation, (body) => joinInputs(body));
    const pair = pairOf(loop, producers, madeForOne);
    return pair !== undefined && isWorthIt(pair) ? join(loop, pair) : [loop];
  });
  return pruneProgram({ ...program, equations });
}

export const transposesSecond = ({ params }: Equation): boolean => (params as { transposeB: boolean }).transposeB;

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
    for (const [first, second] of [sum.inputs, sum.inputs.toReversed()] as [Variable, Variable][]) {
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

export const isPlainProduct = (equation: Equation): boolean =>
  isMatrixProduct(equation) && !(equation.params as { transposeA: boolean }).transposeA;

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
  for (const [product, addend] of [made.inputs, made.inputs.toReversed()] as [Variable, Variable][]) {
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
  const weights = concatenation([outer.inputs[1] as Variable, innerMatrix], transposesSecond(outer) ? 1 : 0);
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

/** [x h] times a matrix, and a row that is added to it, in the place of a product and a sum. */
export function productOfBoth(
  inner: Equation,
  sum: Equation,
  x: Variable,
  matrix: Variable,
  row?: Variable,
): Equation[] {
  const both = concatenation([x, inner.inputs[0] as Variable], 1);
  const [total] = sum.outputs as [Variable];
  const product = { ...inner, inputs: [both.outputs[0] as Variable, matrix] };
  if (row === undefined) return [both, { ...product, outputs: [total] }];
  const rows = new Variable(total.type);
  const params = { axes: [1], shape: total.type.shape };
  const repeat: Equation = { primitive: broadcastPrimitive, params, inputs: [row], outputs: [rows] };
  return [both, product, repeat, { ...sum, inputs: [...inner.outputs, rows] }];
}
