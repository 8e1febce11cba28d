/** Checks on options at the public edge, each with a sentence that names the option, its range and what came. */

import { OptionError } from "./errors.js";

const show = (value: unknown): string => (typeof value === "string" ? `"${value}"` : String(value));

/** @throws OptionError unless `value` is an integer of at least `minimum`. */
export function requireInteger(where: string, name: string, value: number, minimum: number): void {
  if (Number.isInteger(value) && value >= minimum) return;
  throw new OptionError(`${where}: ${name} must be a whole number of at least ${minimum}, but is ${show(value)}`);
}

/** The bounds of a number; `above` and `below` exclude the bound itself. */
export interface Range {
  readonly above?: number;
  readonly from?: number;
  readonly to?: number;
  readonly below?: number;
}

/** @throws OptionError unless `value` is a finite number inside `range`. */
export function requireNumber(where: string, name: string, value: number, range: Range = {}): void {
  const { above = -Infinity, from = -Infinity, to = Infinity, below = Infinity } = range;
  if (Number.isFinite(value) && value > above && value >= from && value <= to && value < below) return;
  const bounds = [
    ...(range.above === undefined ? [] : [`greater than ${above}`]),
    ...(range.from === undefined ? [] : [`at least ${from}`]),
    ...(range.to === undefined ? [] : [`at most ${to}`]),
    ...(range.below === undefined ? [] : [`less than ${below}`]),
  ];
  const expected = bounds.length > 0 ? `a number ${bounds.join(" and ")}` : "a finite number";
  throw new OptionError(`${where}: ${name} must be ${expected}, but is ${show(value)}`);
}

/** @throws OptionError if `options` holds a key that is not in `known`. */
export function requireKnownKeys(where: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new OptionError(`${where}: there is no option "${key}"; the options are ${known.join(", ")}`);
    }
  }
}
