/** The copying problem: symbols to be kept over a long row of blanks, and then repeated. */

import { concatenate, fill, oneHot, ones } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { LabelledSequences } from "./labelled-sequences.js";
import { wholeNumbers } from "./whole-numbers.js";

/** Symbols to be copied in each sequence, and kinds of them: numbers 0 to 7. */
export const [COPIED, COPY_SYMBOLS] = [10, 8] as const;
const [BLANK, DELIMITER] = [COPY_SYMBOLS, COPY_SYMBOLS + 1] as const;
/** Kinds of inputs: symbols, blank, delimiter. */
export const COPY_INPUTS = DELIMITER + 1;
/** Kinds of outputs: symbols, blank. */
export const COPY_CLASSES = BLANK + 1;

/**
 * Inputs: 10 symbols, T - 1 blanks, the delimiter, 10 blanks. Targets: T + 10 blanks, then the 10 symbols; all steps count.
 * @param blanks T
 * @see Arjovsky, Shah & Bengio 2016, arXiv:1511.06464, section 5.1; the idea is Hochreiter & Schmidhuber's of 1997
 */
export function copyMemory(key: Tensor, blanks: number, batchSize: number): LabelledSequences {
  const symbols = wholeNumbers(key, COPY_SYMBOLS, [COPIED, batchSize]);
  const repeated = (symbol: number, count: number) => fill([count, batchSize], symbol, "int32");
  const inputs = [symbols, repeated(BLANK, blanks - 1), repeated(DELIMITER, 1), repeated(BLANK, COPIED)];
  const length = blanks + 2 * COPIED;
  return {
    xs: oneHot(concatenate(inputs, 0), COPY_INPUTS),
    targets: concatenate([repeated(BLANK, blanks + COPIED), symbols], 0),
    mask: ones([length, batchSize], "int32"),
  };
}
