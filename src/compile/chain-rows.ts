/** Makes runs of groups that go row by row into one operation each, where what lies between them would not stay in the cache. */

import { type Equation, type Program, Variable } from "../program/index.js";
import { scanPrimitive } from "../scan/index.js";
import { BYTES, sizeOf } from "../tensor/index.js";
import { type FusedParams, fusedPrimitive } from "./fused.js";
import { inBody } from "./in-body.js";
import { type RowwiseParams, rowwisePrimitive, scratchOf } from "./rowwise.js";
import { isViewOperation, type StridedView, viewThrough, wholeView } from "./strided-view.js";

/** Bytes that a piece reads and writes at most, unless the target says otherwise: a good part of a small second-level cache, with room for others. */
const PIECE_BYTES = 192 * 1024;
/** Fewest elements of a piece: below, setting instructions up costs more than the cache gains. */
const FEWEST_ELEMENTS = 512;

/**
 * The same Program with its chains, inside loops too.
 * @param pieceBytes bytes that a piece reads and writes at most
 */
export function chainRows(program: Program, pieceBytes: number = PIECE_BYTES): Program {
  const equations: Equation[] = [];
  let chain: Equation[] = [];
  const readLater = readersAfter(program);
  const flush = (): void => {
    equations.push(...chained(chain, readLater, pieceBytes));
    chain = [];
  };
  for (const equation of program.equations) {
    const joins = rowsOf(equation, chain) !== undefined;
    if (!joins) flush();
    if (joins || rowsOf(equation, []) !== undefined) chain.push(equation);
    else
      equations.push(
        equation.primitive === scanPrimitive ? inBody(equation, (body) => chainRows(body, pieceBytes)) : equation,
      );
  }
  flush();
  return { ...program, equations };
}

/** For each variable, the equations that read it; the Program itself reads its outputs. */
function readersAfter(program: Program): Map<Variable, Set<Equation | Program>> {
  const readers = new Map<Variable, Set<Equation | Program>>();
  const add = (variable: Variable, reader: Equation | Program) => {
    const known = readers.get(variable) ?? new Set();
    readers.set(variable, known.add(reader));
  };
  for (const equation of program.equations) for (const input of equation.inputs) add(input, equation);
  for (const output of program.outputs) add(output, program);
  return readers;
}

// ------------------------------------------------------------------------------------------------------------ chains

/** The rows that an equation goes through one by one, the same as those of the chain before it; undefined if it does not. */
function rowsOf(equation: Equation, chain: readonly Equation[]): number | undefined {
  const rows = ownRows(equation);
  if (rows === undefined || rows < 2) return undefined;
  if (chain.length === 0) return equation.primitive.alias === true ? undefined : rows;
  if (ownRows(chain[0] as Equation) !== rows) return undefined;
  const made = new Set(chain.flatMap(({ outputs }) => outputs));
  // What reads nothing of the chain gains nothing from it.
  return equation.inputs.some((input) => made.has(input)) && readsRowByRow(equation, made, rows) ? rows : undefined;
}

function ownRows({ primitive, params, inputs, outputs }: Equation): number | undefined {
  if (primitive === fusedPrimitive) {
    const { body, shape } = params as FusedParams;
    const joinsRows = body.equations.some(
      (inner) => inner.primitive.name === "concatenate" && (inner.params as { axis: number }).axis === 0,
    );
    return joinsRows ? undefined : shape[0];
  }
  const [from, to] = [inputs[0]?.type, outputs[0]?.type];
  if (from === undefined || to === undefined) return undefined;
  if (primitive.name === "sum") {
    const { axes } = params as { axes: readonly number[] };
    const last = axes.length === 1 && axes[0] === from.shape.length - 1;
    return last && from.shape.length > 1 && from.dtype === "float32" ? from.shape[0] : undefined;
  }
  return primitive.name === "reshape" && from.shape[0] === to.shape[0] ? from.shape[0] : undefined;
}

/** Whether an equation reads of what a chain makes only row k where it computes row k. */
function readsRowByRow({ primitive, params, inputs }: Equation, made: ReadonlySet<Variable>, rows: number): boolean {
  if (primitive !== fusedPrimitive) return true;
  const { body } = params as FusedParams;
  const views = new Map<Variable, { source: Variable; view: StridedView }>();
  body.inputs.forEach((variable, index) => {
    if (made.has(inputs[index] as Variable))
      views.set(variable, { source: variable, view: wholeView(variable.type.shape) });
  });
  const staysInRow = (variable: Variable): boolean => {
    const found = views.get(variable);
    if (found === undefined) return true;
    const { source, view } = found;
    const row = sizeOf(source.type.shape) / rows;
    const spans = variable.type.shape.slice(1).map((size, k) => (size - 1) * (view.strides[k + 1] as number));
    const first = view.offset + spans.reduce((sum, span) => sum + Math.min(span, 0), 0);
    const last = view.offset + spans.reduce((sum, span) => sum + Math.max(span, 0), 0);
    return view.strides[0] === row && first >= 0 && last < row;
  };
  return (
    body.equations.every((equation) => {
      if (!isViewOperation(equation)) return equation.inputs.every(staysInRow);
      const found = views.get(equation.inputs[0] as Variable);
      if (found === undefined) return true;
      const view = viewThrough(equation, found.view);
      if (view !== undefined) views.set(equation.outputs[0] as Variable, { source: found.source, view });
      return view !== undefined;
    }) && body.outputs.every(staysInRow)
  );
}

/** A chain as one operation, if that pays; else as it is. */
function chained(
  chain: readonly Equation[],
  readers: ReadonlyMap<Variable, ReadonlySet<Equation | Program>>,
  pieceBytes: number,
): readonly Equation[] {
  const computing = chain.filter(({ primitive }) => primitive.alias !== true);
  const rows = chain[0] && ownRows(chain[0]);
  if (rows === undefined || computing.length < 2) return chain;
  const members = new Set<Equation | Program>(chain);
  const made = new Set(chain.flatMap(({ outputs }) => outputs));
  const inputs = [...new Set(chain.flatMap((equation) => equation.inputs).filter((input) => !made.has(input)))];
  const isReadOutside = (variable: Variable) =>
    [...(readers.get(variable) ?? [])].some((reader) => !members.has(reader));
  const outputs = [...made].filter(isReadOutside);
  if (outputs.some((output) => producerOf(chain, output).primitive.alias === true)) return chain;
  const body: Program = { inputs, equations: chain, outputs };
  const chunk = chunkFor(body, rows, pieceBytes);
  if (chunk === undefined) return chain;
  const params: RowwiseParams = { body, rows, chunk };
  const scratch = new Variable({ dtype: "float32", shape: [scratchOf(params).bytes / BYTES.float32] });
  return [{ primitive: rowwisePrimitive, params, inputs, outputs: [...outputs, scratch] }];
}

const producerOf = (chain: readonly Equation[], variable: Variable): Equation =>
  chain.find(({ outputs }) => outputs.includes(variable)) as Equation;

/** Rows of a piece: as many as the cache takes, in equal pieces. Undefined if all rows fit, or a piece would be too small. */
function chunkFor(body: Program, rows: number, pieceBytes: number): number | undefined {
  const bytesOf = (variable: Variable) => (sizeOf(variable.type.shape) * BYTES[variable.type.dtype]) / rows;
  const along = [...body.inputs.filter(({ type }) => type.shape[0] === rows), ...body.outputs];
  const handed = along.reduce((sum, variable) => sum + bytesOf(variable), 0);
  const between = scratchOf({ body, rows, chunk: rows }).bytes / rows;
  const most = Math.floor(pieceBytes / Math.max(handed + between, 1));
  if (most >= rows) return undefined;
  let chunk = Math.max(most, 1);
  while (rows % chunk !== 0) chunk--;
  const widest =
    Math.max(
      ...body.equations.map(({ params, inputs }) =>
        sizeOf((params as FusedParams).shape ?? inputs[0]?.type.shape ?? []),
      ),
    ) / rows;
  return chunk * widest >= FEWEST_ELEMENTS ? chunk : undefined;
}
