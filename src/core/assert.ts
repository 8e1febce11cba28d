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

/** Whether a number lies inside a range; NaN lies in none. */
export function isInRange(value: number, { above, from, to, below }: Range): boolean {
  return !(
    Number.isNaN(value) ||
    (above !== undefined && !(value > above)) ||
    (from !== undefined && !(value >= from)) ||
    (to !== undefined && !(value <= to)) ||
    (below !== undefined && !(value < below))
  );
}

/** @throws OptionError unless `value` is a finite number inside `range`. */
export function requireNumber(where: string, name: string, value: number, range: Range = {}): void {
  const { above, from, to, below } = range;
  if (Number.isFinite(value) && isInRange(value, range)) return;
  const bounds = [
    ...(above === undefined ? [] : [`greater than ${above}`]),
    ...(from === undefined ? [] : [`at least ${from}`]),
    ...(to === undefined ? [] : [`at most ${to}`]),
    ...(below === undefined ? [] : [`less than ${below}`]),
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
