/**
 * Lengths that are not known before a model runs. A Program has only concrete ones, so a function is traced at several sizes, and
 * each whole number that appears in its Programs becomes a formula in the symbols, such as `batch`, `time` or `batch * time + 3`.
 * Windows with a stride bring quotients, such as `⌊(time + 1) / 2⌋`: each is a symbol of its own, known to be one before formulas are asked for.
 */

import { OptionError } from "../../core/index.js";

/** A sum of products of symbols: the factor of each, by the symbols joined with "*"; "" for the constant. */
export type Length = ReadonlyMap<string, number>;

/** ⌊length / by⌋ */
export interface Quotient {
  readonly length: Length;
  readonly by: number;
}

/** Quotients by the names that stand for them in formulas; each depends on one symbol alone, perhaps through quotients before it. */
export type Quotients = ReadonlyMap<string, Quotient>;

/** A value for each symbol. */
export type Sizes = Readonly<Record<string, number>>;

/**
 * Sizes to trace at, for each symbol: low, high, and two to check what was found. The distances from the first have no common divisor, so
 * no quotient of a symbol is on a line with it at all of them; and few quotients are with each other.
 */
const MARKERS = [
  [113, 214, 387, 480],
  [120, 231, 307, 574],
  [125, 249, 398, 571],
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

/** The sizes to trace at: all corners of a box with two sizes for each symbol, then two points to check formulas at. */
export function samplePoints(symbols: readonly string[]): Sizes[] {
  if (symbols.length > MARKERS.length) {
    throw new OptionError(
      `exportOnnx: there are ${symbols.length} symbols (${symbols.join(", ")}); ${MARKERS.length} are possible`,
    );
  }
  const at = (choose: (index: number) => number): Sizes =>
    Object.fromEntries(symbols.map((symbol, index) => [symbol, MARKERS[index]?.[choose(index)] as number]));
  const corners = Array.from({ length: 2 ** symbols.length }, (_, corner) => at((index) => (corner >> index) & 1));
  return [...corners, at(() => 2), at(() => 3)];
}

/**
 * The formula of a whole number, given its values at all sample points: linear in each symbol, or in a quotient of it, so that the corners
 * determine it.
 * @returns undefined if there is none
 */
export function lengthFrom(
  values: readonly number[],
  symbols: readonly string[],
  quotients: Quotients = new Map(),
): Length | undefined {
  const points = samplePoints(symbols).map((sizes) => withQuotients(sizes, quotients));
  for (const basis of basesOf(symbols, quotients)) {
    const found = interpolate(values.slice(0, 2 ** symbols.length), basis, points);
    const isWhole = [...found.values()].every(Number.isInteger);
    if (isWhole && points.every((sizes, point) => valueAt(found, sizes) === values[point])) return found;
  }
  return undefined;
}

/** What formulas may be linear in: each symbol, or a quotient in its place; the symbols themselves come first. */
function basesOf(symbols: readonly string[], quotients: Quotients): string[][] {
  const choices = symbols.map((symbol) => [
    symbol,
    ...[...quotients].flatMap(([name, { length }]) => (rootOf(length, quotients) === symbol ? [name] : [])),
  ]);
  return choices.reduce<string[][]>(
    (bases, names) => bases.flatMap((basis) => names.map((name) => [...basis, name])),
    [[]],
  );
}

/** The one symbol that a length depends on, if there is no other. */
export function rootOf(length: Length, quotients: Quotients): string | undefined {
  const roots = [...length.keys()].flatMap(symbolsOf).map((symbol) => {
    const quotient = quotients.get(symbol);
    return quotient ? rootOf(quotient.length, quotients) : symbol;
  });
  return roots.every((root) => root === roots[0]) ? roots[0] : undefined;
}

/** Sizes with the values of all quotients. */
export function withQuotients(sizes: Sizes, quotients: Quotients): Sizes {
  const known: Record<string, number> = { ...sizes };
  for (const [name, { length, by }] of quotients) known[name] = Math.floor(valueAt(length, known) / by);
  return known;
}

/** f(x) = f(low) + (x - low) (f(high) - f(low)) / (high - low), for one symbol of a basis after the other. */
function interpolate(corners: readonly number[], basis: readonly string[], points: readonly Sizes[]): Length {
  const last = basis.length - 1;
  if (last < 0) return constant(corners[0] as number);
  const symbol = basis[last] as string;
  const half = corners.length / 2;
  const [low, high] = [0, half].map((corner) => (points[corner] as Sizes)[symbol]) as [number, number];
  const rest = basis.slice(0, last);
  const [atLow, atHigh] = [
    interpolate(corners.slice(0, half), rest, points),
    interpolate(corners.slice(half), rest, points),
  ];
  const terms = new Map(atLow);
  for (const [key, rise] of difference(atHigh, atLow)) {
    const slope = rise / (high - low);
    terms.set(key, (terms.get(key) ?? 0) - slope * low);
    terms.set(key === "" ? symbol : `${key}*${symbol}`, slope);
  }
  return withoutZeros([...terms]);
}

const valueAt = (length: Length, sizes: Sizes): number =>
  [...length].reduce((sum, [key, factor]) => sum + factor * productAt(key, sizes), 0);

const productAt = (key: string, sizes: Sizes): number =>
  symbolsOf(key).reduce((product, symbol) => product * (sizes[symbol] as number), 1);

/** The symbols of one product. */
export const symbolsOf = (key: string): string[] => (key === "" ? [] : key.split("*"));
