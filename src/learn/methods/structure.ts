/** Which parameters a step of a problem lets act on which numbers of the carry: found by trying it out. */

import { flattenTree } from "../../core/index.js";
import { randomKey } from "../../ops/index.js";
import { evaluateProgram, trace } from "../../program/index.js";
import {
  allocate,
  HostTensor,
  isFloat,
  isTensor,
  mapTensors,
  sizeOf,
  type Tensor,
  type TensorTree,
} from "../../tensor/index.js";
import type { SequenceProblem } from "./method.js";
import { type CarryLayout, type StopsAt, takeStep } from "./one-step.js";

/** A table of zeros and ones, row by row. */
export interface Pattern {
  readonly rows: number;
  readonly columns: number;
  readonly data: Uint8Array;
}

/** Where the derivatives of a step are not zero, and matter to later steps. Rows: units of the carry after the step. */
export interface StepStructure {
  /** Columns: units of the carry before. */
  readonly transition: Pattern;
  /** Columns: numbers of the parameters, tensor after tensor. */
  readonly direct: Pattern;
}

/** Least number of times that a step is tried, with other numbers each time: what happens to be 0 once is not 0 every time. */
const TRIALS = 4;
/** Tensors of whole numbers, such as masks, that are tried in every combination of 0 and 1. */
const COMBINED = 4;

/**
 * Tries a step out.
 * @param batch one step of one sequence, `[1, 1, ...]`; only its types matter
 */
export function findStructure<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  problem: SequenceProblem<Params, Carry, Batch>,
  given: { readonly params: Params; readonly carry: Carry; readonly batch: Batch },
  layout: CarryLayout,
  stops: StopsAt,
): StepStructure {
  // Seeds are an input, so that one Program serves all units.
  const seed = new HostTensor({ dtype: layout.dtype, shape: [layout.units] }, allocate(layout.dtype, layout.units));
  const flat = [given.params, given.carry, given.batch].flatMap((tree) => leavesOf(tree));
  const { program, captured } = trace(
    (...inputs) => {
      const take = <T extends TensorTree>(like: T): T => mapTensors(() => inputs.shift() as Tensor, like);
      const [params, carry, batch] = [take(given.params), take(given.carry), take(given.batch)];
      const step = takeStep(problem, params, carry, batch, randomKey(0), layout, stops);
      const { params: forParams, carry: forCarry } = step.pullback(inputs.shift() as Tensor);
      return [forCarry, ...forParams];
    },
    [...flat, seed],
  );

  const width = leavesOf(given.params).reduce((total, { shape }) => total + sizeOf(shape), 0);
  const transition = emptyPattern(layout.units, layout.units);
  const direct = emptyPattern(layout.units, width);
  const wholes = flat.filter(({ dtype }) => !isFloat(dtype));
  const trials = Math.max(TRIALS, 2 ** Math.min(wholes.length, COMBINED));
  for (let trial = 0; trial < trials; trial++) {
    const numbers = flat.map((leaf, index) =>
      someNumbers(leaf, trial, isFloat(leaf.dtype) ? index : wholes.indexOf(leaf)),
    );
    for (let unit = 0; unit < layout.units; unit++) {
      seed.data.fill(0);
      seed.data[unit] = 1;
      const [forCarry, ...forParams] = evaluateProgram(program, [...numbers, seed, ...captured]);
      mark(transition, unit, 0, forCarry as HostTensor);
      let column = 0;
      for (const cotangent of forParams) {
        mark(direct, unit, column, cotangent);
        column += cotangent.data.length;
      }
    }
  }
  // Nobody reads what acts on a unit at which derivatives stop: no step goes on from there.
  const unread = layout.paths.map((path) => stops(path, layout.names));
  for (const pattern of [transition, direct]) {
    unread.forEach((isUnread, unit) => {
      if (isUnread) pattern.data.fill(0, unit * pattern.columns, (unit + 1) * pattern.columns);
    });
  }
  return { transition, direct };
}

const leavesOf = (tree: TensorTree): Tensor[] => flattenTree(tree, isTensor).leaves;

/** A pattern without entries. */
export const emptyPattern = (rows: number, columns: number): Pattern => ({
  rows,
  columns,
  data: new Uint8Array(rows * columns),
});

/** Every unit and itself. */
export function sameUnit(units: number): Pattern {
  const pattern = emptyPattern(units, units);
  for (let unit = 0; unit < units; unit++) pattern.data[unit * units + unit] = 1;
  return pattern;
}

function mark({ data, columns }: Pattern, row: number, from: number, values: HostTensor): void {
  values.data.forEach((value, index) => {
    if (value !== 0) data[row * columns + from + index] = 1;
  });
}

/** Floats in (-1, 1) without order; whole numbers 0 and 1, as tokens and masks have them, in all combinations. */
function someNumbers({ dtype, shape }: Tensor, trial: number, index: number): HostTensor {
  const data = allocate(dtype, sizeOf(shape));
  for (let k = 0; k < data.length; k++) {
    const spread = ((trial * 7919 + index * 104729 + k + 1) * 0.6180339887498949) % 1;
    data[k] = isFloat(dtype) ? 2 * spread - 1 : (trial >> (index % COMBINED)) & 1;
  }
  return new HostTensor({ dtype, shape }, data);
}

/**
 * Which parameters have an influence on which units within `order` steps.
 *
 *   S_1 = direct          S_{n+1} = direct ∪ transition · S_n
 *
 * @param order number of steps, at least 1; Infinity: at any time
 */
export function influencePattern({ transition, direct }: StepStructure, order: number): Pattern {
  let pattern = direct;
  for (let step = 1; step < order; step++) {
    const next = { ...direct, data: direct.data.slice() };
    for (let unit = 0; unit < direct.rows; unit++) {
      for (let from = 0; from < direct.rows; from++) {
        if (transition.data[unit * transition.columns + from] === 0) continue;
        for (let column = 0; column < direct.columns; column++) {
          if (pattern.data[from * direct.columns + column] === 1) next.data[unit * direct.columns + column] = 1;
        }
      }
    }
    if (next.data.every((value, place) => value === pattern.data[place])) return next;
    pattern = next;
  }
  return pattern;
}

/**
 * Colours for the rows of a pattern: rows of one colour have no column in common, so that their sum still shows each of them. -1 for
 * rows without entries.
 * @see Curtis, Powell & Reid 1974, doi:10.1093/imamat/13.1.117
 */
export function colourRows({ rows, columns, data }: Pattern): Int32Array {
  const used: Uint8Array[] = [];
  const colours = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = data.subarray(row * columns, (row + 1) * columns);
    if (!own.includes(1)) {
      colours[row] = -1;
      continue;
    }
    let colour = used.findIndex((taken) => own.every((value, column) => value === 0 || taken[column] === 0));
    if (colour < 0) colour = used.push(new Uint8Array(columns)) - 1;
    const taken = used[colour] as Uint8Array;
    own.forEach((value, column) => {
      if (value === 1) taken[column] = 1;
    });
    colours[row] = colour;
  }
  return colours;
}
