/**
 * x W + h U as one product of [x h], where both matrices stay the same: each result is begun and stored once. In a loop for many rows, if the terms of
 * both stay in the cache. Outside of loops (a streamed step) for few rows, too, which take as long as it takes to read the matrices: of one matrix,
 * kernels that read from alternate ends find in the cache what they read last; of two, each would drive out the other.
 */

import { broadcastPrimitive } from "../ops/index.js";
import { type Equation, type Program, producersOf, pruneProgram, readerCounts, Variable } from "../program/index.js";
import { type ScanParams, scanPrimitive } from "../scan/index.js";
import { constantsOf, withBody } from "./before-loop.js";
import { concatenation } from "./concatenation.js";
import { isMatrixProduct, repeatedRow } from "./form-products.js";

/** Most terms of many rows: a panel of a packed matrix with more would not stay in the cache while rows go past it. */
const MOST_TERMS = 512;

/** Fewest rows that take longer than reading the matrices. */
const MANY_ROWS = 16;

type Fits = (rows: number, terms: number) => boolean;

interface Variables {
  has(variable: Variable): boolean;
}

/**
 * The same Program with such products joined.
 * @param constants inputs of the Program that are the same at every run
 */
export function joinTerms(program: Program, constants: Variables): Program {
  return joinIn(program, constants, (rows, terms) => rows < MANY_ROWS || terms <= MOST_TERMS);
}

/** The loop with such products joined, behind what puts their matrices together. */
function joinInLoop(loop: Equation): Equation[] {
  const { body } = loop.params as ScanParams;
  const joined = joinIn(body, constantsOf(loop), (rows, terms) => rows >= MANY_ROWS && terms <= MOST_TERMS);
  return withBody(loop, joined, ({ primitive }) => primitive.name === "concatenate");
}

function joinIn(program: Program, constants: Variables, fits: Fits): Program {
  const pairOf = pairsIn(program, constants);
  const gone = new Set<Equation>();
  const equations = program.equations.flatMap((equation): Equation[] => {
    if (equation.primitive === scanPrimitive) return joinInLoop(equation);
    const pair = pairOf(equation);
    if (pair === undefined || !fits(...sizeOfBoth(pair))) return [equation];
    gone.add(pair.first).add(pair.second);
    return join(pair);
  });
  return pruneProgram({ ...program, equations: equations.filter((equation) => !gone.has(equation)) });
}

/** Two products whose sum is all that reads them; to the first, a row may be added before. */
interface Pair {
  readonly first: Equation;
  readonly row?: Variable;
  readonly second: Equation;
  readonly sum: Equation;
}

/** Finds the products that an equation adds, if it does. */
function pairsIn(program: Program, constants: Variables): (sum: Equation) => Pair | undefined {
  const producers = producersOf(program);
  const readers = readerCounts(program);
  const madeForOne = (variable: Variable) => (readers.get(variable) === 1 ? producers.get(variable) : undefined);
  const productOf = (variable: Variable): Equation | undefined => {
    const made = madeForOne(variable);
    const isOne = made && isMatrixProduct(made) && !flagsOf(made).transposeA;
    return isOne && constants.has(made.inputs[1] as Variable) ? made : undefined;
  };
  const firstOf = (variable: Variable): Pick<Pair, "first" | "row"> | undefined => {
    const first = productOf(variable);
    if (first !== undefined) return { first };
    const made = madeForOne(variable);
    if (made?.primitive.name !== "add") return undefined;
    for (const [product, addend] of bothWays(made)) {
      const first = productOf(product);
      const row = first && repeatedRow(addend, variable.type.shape as [number, number], producers);
      if (first !== undefined && row?.type.shape.length === 1) return { first, row };
    }
    return undefined;
  };
  return (sum) => {
    if (sum.primitive.name !== "add") return undefined;
    for (const [left, right] of bothWays(sum)) {
      const [found, second] = [firstOf(left), productOf(right)];
      if (found === undefined || second === undefined) continue;
      if (flagsOf(found.first).transposeB === flagsOf(second).transposeB) return { ...found, second, sum };
    }
    return undefined;
  };
}

/** The two operands of an equation, in either order. */
const bothWays = ({ inputs }: Equation) => [inputs, inputs.toReversed()] as [Variable, Variable][];

const flagsOf = ({ params }: Equation) => params as { readonly transposeA: boolean; readonly transposeB: boolean };

function sizeOfBoth({ first, second }: Pair): [rows: number, terms: number] {
  const [[rows, terms], [, moreTerms]] = [first, second].map(({ inputs }) => (inputs[0] as Variable).type.shape) as [
    [number, number],
    [number, number],
  ];
  return [rows, terms + moreTerms];
}

/** One product of both, and the row that is added to it. The terms of the first come first: so the bits are those of the sum. */
function join({ first, row, second, sum }: Pair): Equation[] {
  const [[x, w], [h, u]] = [first.inputs, second.inputs] as [[Variable, Variable], [Variable, Variable]];
  const left = concatenation([x, h], 1);
  const right = concatenation([w, u], flagsOf(second).transposeB ? 1 : 0);
  const product = { ...second, inputs: [left.outputs[0] as Variable, right.outputs[0] as Variable] };
  if (row === undefined) return [left, right, { ...product, outputs: sum.outputs }];
  const rows = new Variable((sum.outputs[0] as Variable).type);
  const params = { axes: [1], shape: rows.type.shape };
  const repeat: Equation = { primitive: broadcastPrimitive, params, inputs: [row], outputs: [rows] };
  return [left, right, product, repeat, { ...sum, inputs: [...second.outputs, rows] }];
}
