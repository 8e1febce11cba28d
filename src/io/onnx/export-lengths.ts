/**
 * Lengths that are not known before a model runs. A Program has only concrete ones, so a function is traced at several sizes, and
 * each whole number that appears in its Programs becomes a formula in the symbols, such as `batch`, `time` or `batch * time + 3`.
 */

import { OptionError } from "../../core/index.js";

/** A sum of products of symbols: the factor of each, by the symbols joined with "*"; "" for the constant. */
export type Length = ReadonlyMap<string, number>;

/** A value for each symbol. */
export type Sizes = Readonly<Record<string, number>>;

/** Sizes to trace at, for each symbol: two corners of the box of sizes, and one to check what was found. */
const MARKERS = [
  [101, 103, 107],
  [211, 223, 227],
  [307, 311, 331],
] as const;

/** A length that is known. */
export const constant = (value: number): Length => (value === 0 ? new Map() : new Map([["", value]]));

/** The value of a length that does not depend on symbols. */
export function constantOf(length: Length): number | undefined {
  return [...length.keys()].every((key) => key === "") ? (length.get("") ?? 0) : undefined;
}

/** Text that is equal for equal lengths: `2*batch*time+3`. */
export const formatLength = (length: Length): string =>
  [...length]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .map(([key, factor]) => (key === "" ? `${factor}` : factor === 1 ? key : `${factor}*${key}`))
    .join("+") || "0";

/** a + factor b */
export function plus(a: Length, b: Length, factor = 1): Length {
  const keys = new Set([...a.keys(), ...b.keys()]);
  return withoutZeros([...keys].map((key) => [key, (a.get(key) ?? 0) + factor * (b.get(key) ?? 0)]));
}

/** a - b */
export const difference = (a: Length, b: Length): Length => plus(a, b, -1);

const withoutZeros = (terms: readonly (readonly [string, number])[]): Length =>
  new Map(terms.filter(([, factor]) => factor !== 0));

/** The sizes to trace at: all corners of a box with two sizes for each symbol, then one point to check formulas at. */
export function samplePoints(symbols: readonly string[]): Sizes[] {
  if (symbols.length > MARKERS.length) {
    throw new OptionError(
      `exportOnnx: there are ${symbols.length} symbols (${symbols.join(", ")}); ${MARKERS.length} are possible`,
    );
  }
  const at = (choose: (index: number) => number): Sizes =>
    Object.fromEntries(symbols.map((symbol, index) => [symbol, MARKERS[index]?.[choose(index)] as number]));
  const corners = Array.from({ length: 2 ** symbols.length }, (_, corner) => at((index) => (corner >> index) & 1));
  return [...corners, at(() => 2)];
}

/**
 * The formula of a whole number, given its values at all sample points: linear in each symbol, so that the corners determine it.
 * @returns undefined if there is none
 */
export function lengthFrom(values: readonly number[], symbols: readonly string[]): Length | undefined {
  const found = interpolate(values.slice(0, -1), symbols);
  const points = samplePoints(symbols);
  const isWhole = [...found.values()].every(Number.isInteger);
  return isWhole && valueAt(found, points.at(-1) as Sizes) === values.at(-1) ? found : undefined;
}

/** f(x) = f(low) + (x - low) (f(high) - f(low)) / (high - low), for one symbol after the other. */
function interpolate(corners: readonly number[], symbols: readonly string[]): Length {
  const last = symbols.length - 1;
  if (last < 0) return constant(corners[0] as number);
  const [low, high] = MARKERS[last] as readonly [number, number, number];
  const half = corners.length / 2;
  const rest = symbols.slice(0, last);
  const [atLow, atHigh] = [interpolate(corners.slice(0, half), rest), interpolate(corners.slice(half), rest)];
  const terms = new Map(atLow);
  for (const [key, rise] of difference(atHigh, atLow)) {
    const slope = rise / (high - low);
    terms.set(key, (terms.get(key) ?? 0) - slope * low);
    terms.set(key === "" ? (symbols[last] as string) : `${key}*${symbols[last]}`, slope);
  }
  return withoutZeros([...terms]);
}

const valueAt = (length: Length, sizes: Sizes): number =>
  [...length].reduce((sum, [key, factor]) => sum + factor * productAt(key, sizes), 0);

const productAt = (key: string, sizes: Sizes): number =>
  symbolsOf(key).reduce((product, symbol) => product * (sizes[symbol] as number), 1);

/** The symbols of one product. */
export const symbolsOf = (key: string): string[] => (key === "" ? [] : key.split("*"));
