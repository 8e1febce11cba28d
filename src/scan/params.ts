/** What a scan equation carries: its body, and how the body's inputs and outputs divide. */

import type { Program, Variable } from "../program/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";

/**
 * Parameters of the scan primitive. Inputs of the equation: `carries` initial values, `slices` sequences
 * `[length, ...]`, then constants. Inputs of the body: carries, one slice of each sequence, the same constants.
 * Outputs of the body: the new carries, then the step's results. Outputs of the equation: the last carries, then the
 * results of all steps, `[length, ...]`.
 */
export interface ScanParams {
  readonly body: Program;
  /** Number of steps, may be 0. */
  readonly length: number;
  /** Whether steps run from the last slice to the first. Results stay at the place of their slice. */
  readonly reverse: boolean;
  readonly carries: number;
  readonly slices: number;
  /** A segment of a longer scan: on the way back, it is computed again from its inputs instead of keeping residuals. */
  readonly isSegment?: boolean;
  /** A loop over segments, made to keep little: nothing is moved out of it that would be kept for all steps. */
  readonly isSegmented?: boolean;
}

/** Applies the scan primitive. The derivative rules are given it, so that they need not import the record they are part of. */
export type ApplyScan = (inputs: readonly Tensor[], params: ScanParams) => readonly Tensor[];

/** Inputs of the body from which on they are constants. */
export const firstConstant = ({ carries, slices }: ScanParams): number => carries + slices;

/** The type of one step of a sequence. */
export const stepType = ({ dtype, shape }: TensorType): TensorType => ({ dtype, shape: shape.slice(1) });

/** The type of a sequence of so many steps. */
export const sequenceType = ({ dtype, shape }: TensorType, length: number): TensorType => ({
  dtype,
  shape: [length, ...shape],
});

/** Variables at the given places. */
export const pick = (variables: readonly Variable[], places: readonly number[]): Variable[] =>
  places.map((place) => variables[place] as Variable);
