/** Options that several cells have. */

/** Sizes of a cell; whole numbers of at least 1. */
export interface CellSizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
}

/** Sizes of a cell, and how its forget gate begins. */
export interface ForgetGateOptions extends CellSizes {
  /** Starting bias of the forget gate: a positive one lets the cell remember at first. @default 1 */
  readonly forgetBias?: number;
}
