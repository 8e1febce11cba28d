/** Remembering the first symbol: it is shown once, and asked for at the end. */

import { bernoulli, concatenate, expandDims, fill, oneHot } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

/** Symbols of the input: two to remember, a blank, and a question mark. */
export const INPUT_SYMBOLS = 4;
/** Classes of the output: the two symbols, and silence. */
export const OUTPUT_CLASSES = 3;
const [BLANK, QUESTION, SILENT] = [2, 3, 2] as const;

/** Inputs, and what is to be said at each step. */
export type FirstSymbolBatch = {
  /** One-hot `[length, batchSize, 4]` */
  readonly xs: Tensor;
  /** int32 `[length, batchSize]` */
  readonly targets: Tensor;
};

/**
 * The first input is one of two symbols, equally likely; then come blanks, and a question mark. The last output is to be the symbol;
 * the others are to repeat it, or to be silent.
 * @param length at least 3
 * @param repeated whether the outputs carry the symbol through time
 */
export function firstSymbol(key: Tensor, length: number, batchSize: number, repeated: boolean): FirstSymbolBatch {
  const symbols = expandDims(bernoulli(key, 0.5, [batchSize]), 0);
  const many = (steps: number, symbol: number) => fill([steps, batchSize], symbol, "int32");
  const before = repeated ? Array.from({ length: length - 1 }, () => symbols) : [many(length - 1, SILENT)];
  return {
    xs: oneHot(concatenate([symbols, many(length - 2, BLANK), many(1, QUESTION)], 0), INPUT_SYMBOLS),
    targets: concatenate([...before, symbols], 0),
  };
}
