/** Steps of elementwise instructions, and the memory that they read and write. */

import type { Slot } from "../../compile/index.js";
import type { Shape } from "../../tensor/index.js";
import { type ElementName, elementCode } from "./codes.js";

/** Elements in memory: an entry of the table, the first byte, and the distance of neighbours along each axis. */
export interface Operand {
  readonly place: number;
  readonly byte: number;
  readonly strides: readonly number[];
  readonly slot?: Slot;
}

/** What an element operation reads: memory, or the result of an earlier one, which is not stored. */
export type Source = Operand | Step;

/** One element operation. */
export interface Step {
  code: number;
  readonly sources: Source[];
  /** Where its result is stored; undefined: in a register. */
  to: Operand | undefined;
}

/** A piece of rows: how many of how many, and memory that holds one piece at a time instead of all rows. */
export interface Piece {
  readonly chunk: number;
  isScratch(slot: Slot): boolean;
  /** The entry of the table that goes on by so many bytes from piece to piece. */
  moving(place: number, bytes: number): number;
}

export const isStep = (source: Source): source is Step => "code" in source;

/** The number of an operation. */
export const codeOf = (name: ElementName): number => elementCode(name) as number;

/** The entry of the table for an operand: in pieces, one that moves with them, unless the operand is the same for all rows, or for a piece. */
export function placeFor({ place, strides, slot }: Operand, piece: Piece | undefined): number {
  const row = strides[0] ?? 0;
  if (piece === undefined || row === 0 || (slot !== undefined && piece.isScratch(slot))) return place;
  return piece.moving(place, row * piece.chunk * 4);
}

/**
 * Axes of length 1 left out, and axes made one where for every operand one lies inside the other.
 * @param keepLast whether the last axis is summed over, and so stays what it is
 */
export function collapse(
  shape: Shape,
  operands: readonly Operand[],
  keepLast: boolean,
): { sizes: number[]; strides: number[][] } {
  const sizes: number[] = [];
  const strides: number[][] = operands.map(() => []);
  shape.forEach((size, axis) => {
    const stays = keepLast && axis === shape.length - 1;
    if (size === 1 && !stays) return;
    const last = sizes.length - 1;
    const joins =
      last >= 0 &&
      !stays &&
      operands.every(({ strides: own }, k) => (strides[k] as number[])[last] === (own[axis] as number) * size);
    if (joins) sizes[last] = (sizes[last] as number) * size;
    else sizes.push(size);
    operands.forEach(({ strides: own }, k) => {
      (strides[k] as number[])[joins ? last : sizes.length - 1] = own[axis] as number;
    });
  });
  if (sizes.length > 0) return { sizes, strides };
  return { sizes: [1], strides: operands.map(() => [1]) };
}
