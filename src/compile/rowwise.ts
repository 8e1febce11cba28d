/**
 * Several groups of elementwise arithmetic, with sums over the last axis between them, that each compute row k from rows k alone (layer
 * normalisation and its way back): kernels run them all on a few rows before they go on, so that what lies between stays in the cache.
 */

import { evaluateBody, type Primitive, type Program, type Variable } from "../program/index.js";
import { BYTES, type Shape, sizeOf } from "../tensor/index.js";
import { Arena } from "./arena.js";
import { withoutDerivative } from "./without-derivative.js";

/** What is computed, and in pieces of how many rows. */
export interface RowwiseParams {
  /** Fused groups, sums over the last axis, and changes of shape; the first axis of all that it computes are the rows. */
  readonly body: Program;
  readonly rows: number;
  /** Rows that are computed at a time; divides `rows`. */
  readonly chunk: number;
}

/** Applies its body. The last output is memory for what lies between, for one piece. */
export const rowwisePrimitive: Primitive<RowwiseParams> = {
  name: "rowwise",
  infer: (_, params) => [
    ...params.body.outputs.map(({ type }) => type),
    { dtype: "float32", shape: [scratchOf(params).bytes / BYTES.float32] },
  ],
  evaluate: evaluateBody,
  ...withoutDerivative("rowwise"),
  print: ({ body, chunk }, printProgram) => `chunk=${chunk} body=${printProgram(body)}`,
};

/** The shape of a piece. */
export const pieceOf = (shape: Shape, chunk: number): Shape => shape.with(0, chunk);

/** Where, in the memory for what lies between, each variable that is not handed out lies. */
export function scratchOf({ body, chunk }: RowwiseParams): { offsets: ReadonlyMap<Variable, number>; bytes: number } {
  const source = new Map<Variable, Variable>();
  const rootOf = (variable: Variable): Variable => source.get(variable) ?? variable;
  const last = new Map<Variable, number>();
  body.equations.forEach(({ primitive, inputs, outputs }, index) => {
    if (primitive.alias === true) source.set(outputs[0] as Variable, rootOf(inputs[0] as Variable));
    for (const input of inputs) last.set(rootOf(input), index);
  });
  const handedOut = new Set(body.outputs.map(rootOf));
  const arena = new Arena();
  const offsets = new Map<Variable, number>();
  body.equations.forEach(({ primitive, outputs }, index) => {
    if (primitive.alias === true) return;
    for (const output of outputs) {
      if (handedOut.has(output)) continue;
      offsets.set(output, arena.take(sizeOf(pieceOf(output.type.shape, chunk)) * BYTES[output.type.dtype]));
      last.set(output, Math.max(last.get(output) ?? index, index));
    }
    for (const [variable, offset] of offsets) if (last.get(variable) === index) arena.give(offset);
  });
  return { offsets, bytes: arena.size };
}
