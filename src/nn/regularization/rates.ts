/** Rates for tensors of a tree, by name. */

import { OptionError, type Range, requireNumber } from "../../core/index.js";
import { isFloat, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";

/** One rate for all tensors, or rates by name: `{ h: 0.05, c: 0.5 }`. In nested records, the last name counts. */
export type Rates = number | Readonly<Record<string, number>>;

/** @throws OptionError unless every rate is in range */
export function requireRates(where: string, name: string, rates: Rates, range: Range): void {
  const named = typeof rates === "number" ? { [name]: rates } : rates;
  for (const [key, rate] of Object.entries(named)) {
    requireNumber(where, key === name ? name : `${name}.${key}`, rate, range);
  }
}

/** A tensor that has a rate above 0. */
export interface Rated {
  readonly path: string;
  readonly tensor: Tensor;
  readonly rate: number;
}

/**
 * The float tensors that have a rate above 0, in the order of the tree.
 * @throws OptionError if there is no tensor of some name
 */
export function ratedTensors(where: string, tree: TensorTree, rates: Rates): Rated[] {
  const all = tensorsByPath(tree).filter(([, { dtype }]) => isFloat(dtype));
  const nameOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
  if (typeof rates === "object") {
    const names = [...new Set(all.map(([path]) => nameOf(path)))];
    const unknown = Object.keys(rates).find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new OptionError(`${where}: the cell has no "${unknown}"; there are ${names.join(", ")}`);
  }
  return all
    .map(([path, tensor]) => ({ path, tensor, rate: typeof rates === "number" ? rates : (rates[nameOf(path)] ?? 0) }))
    .filter(({ rate }) => rate > 0);
}
