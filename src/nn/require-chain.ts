/** A check on parts that stand on top of each other. */

import { OptionError, requireNumber } from "../core/index.js";

/**
 * Checks what a stack is made of.
 * @param part what one is called in sentences
 * @param dropout rate on the connections between them
 * @throws OptionError if there is none, sizes do not fit, or dropout is out of range or has nothing to act on
 */
export function requireChain(
  where: string,
  part: string,
  chain: readonly { readonly inputSize: number; readonly outputSize: number }[],
  dropout: number,
): void {
  requireNumber(where, "dropout", dropout, { from: 0, below: 1 });
  if (chain.length === 0) throw new OptionError(`${where}: needs at least one ${part}`);
  if (dropout > 0 && chain.length === 1) {
    throw new OptionError(
      `${where}: dropout acts between ${part}s and has no effect with one ${part}; remove it or add a ${part}`,
    );
  }
  chain.forEach(({ inputSize }, index) => {
    const below = chain[index - 1];
    if (below === undefined || below.outputSize === inputSize) return;
    throw new OptionError(
      `${where}: ${part} ${index} takes ${inputSize} features, but ${part} ${index - 1} gives ${below.outputSize}`,
    );
  });
}
