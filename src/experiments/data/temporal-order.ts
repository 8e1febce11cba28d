/** The temporal order problem: which symbols came in which order, with a long row of others before, between and after them. */

import { add, broadcastTo, equal, expandDims, multiply, oneHot, range, select, splitKey } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { LabelledSequences } from "./labelled-sequences.js";
import { wholeNumbers } from "./whole-numbers.js";

/** The symbols, in the order of their numbers; the first two are those that matter. */
export const ORDER_SYMBOLS = "ABabcd";
/** The classes, in the order of their numbers. */
export const ORDER_CLASSES = ["AA", "AB", "BA", "BB"] as const;
const [MATTERING, OTHERS] = [2, 4] as const;

/**
 * Sequences of a, b, c and d. At a step in [T/10, 2T/10) and one in [4T/10, 5T/10) stands A or B instead; the class, asked for at the last
 * step, says which ones.
 * @param length T, a multiple of 10
 * @see Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, section 4.1
 */
export function temporalOrder(key: Tensor, length: number, batchSize: number): LabelledSequences {
  const [otherKey, ...keys] = splitKey(key, 5);
  const [firstPlace, secondPlace, first, second] = [length / 10, length / 10, MATTERING, MATTERING].map(
    (count, index) => wholeNumbers(keys[index] as Tensor, count, [1, batchSize]),
  ) as [Tensor, Tensor, Tensor, Tensor];
  const steps = expandDims(range(length), 1);
  const others = add(wholeNumbers(otherKey, OTHERS, [length, batchSize]), MATTERING);
  const withSecond = select(equal(steps, add(secondPlace, (4 * length) / 10)), second, others);
  const symbols = select(equal(steps, add(firstPlace, length / 10)), first, withSecond);
  const mask = broadcastTo(equal(steps, length - 1), [length, batchSize]);
  return {
    xs: oneHot(symbols, ORDER_SYMBOLS.length),
    targets: multiply(mask, add(multiply(first, MATTERING), second)),
    mask,
  };
}
