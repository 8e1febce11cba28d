/** Lengths that are quotients: how many windows with a stride fit into a length that is known only when the model runs. */

import { OptionError } from "../../core/index.js";
import type { Equation, Program, Variable } from "../../program/index.js";
import {
  constant,
  formatLength,
  type Length,
  plus,
  type Quotient,
  rootOf,
  type Sizes,
  samplePoints,
  withQuotients,
} from "./export-lengths.js";
import { type ExportContext, typeOf } from "./export-program.js";
import { type BlockParams, blocksPrimitive } from "./recognize-windows.js";

/**
 * Notes the quotients that the operations of a function bring, so that formulas may use them: of windows with a stride, of windows side by
 * side, and of slices with steps.
 * @param programs the function at all sample points
 * @throws OptionError if two of them cannot be told apart
 */
export function findQuotients(context: ExportContext, programs: readonly Program[]): void {
  (programs[0] as Program).equations.forEach((_, index) => {
    const aligned = programs.map(({ equations }) => equations[index] as Equation);
    for (const { axis, offset, by } of stridesIn(aligned)) {
      const operands = aligned.map(({ inputs }) => inputs[0] as Variable);
      const length = typeOf(context, "unfold", operands).shape[axis] as Length;
      note(context, { length: plus(length, constant(offset)), by });
    }
  });
}

/** ⌊(length of an axis + offset) / by⌋ */
interface Stride {
  readonly axis: number;
  readonly offset: number;
  readonly by: number;
}

function stridesIn(aligned: readonly Equation[]): Stride[] {
  const [{ primitive, params }] = aligned as [Equation];
  if (primitive.name === "unfold") {
    const { axis, size, stride, dilation } = params as Record<"axis" | "size" | "stride" | "dilation", number>;
    return stride === 1 ? [] : [{ axis, offset: stride - 1 - (size - 1) * dilation, by: stride }];
  }
  if (primitive === blocksPrimitive) {
    const { axis, window } = params as BlockParams;
    const isKnown = aligned.every((equation) => (equation.params as BlockParams).window === window);
    return isKnown ? [{ axis, offset: 0, by: window }] : [];
  }
  if (primitive.name !== "slice") return [];
  const { starts, steps } = params as { readonly starts: readonly number[]; readonly steps: readonly number[] };
  return starts.flatMap((start, axis) => {
    const step = steps[axis] as number;
    return step === 1 ? [] : [{ axis, offset: step - 1 - start, by: step }];
  });
}

/** How far lengths are compared. */
const LONGEST = 2000;

/** @throws OptionError if the quotient is on a line with one before it at all sample points, but not everywhere */
function note({ symbols, quotients }: ExportContext, quotient: Quotient): void {
  const root = rootOf(quotient.length, quotients);
  if (root === undefined) return;
  const name = `⌊(${formatLength(quotient.length).replaceAll("*", "·")})/${quotient.by}⌋`;
  const all = new Map([...quotients, [name, quotient]]);
  const points = samplePoints(symbols);
  const at = (size: number): Sizes => withQuotients({ ...(points[0] as Sizes), [root]: size }, all);
  const low = at(points[0]?.[root] as number);
  const samples = points.map((sizes) => at(sizes[root] as number));
  const lengths = Array.from({ length: LONGEST }, (_, size) => at(size + 1));
  const rivals = [root, ...quotients.keys()].filter((rival) => {
    if (rival !== root && rootOf((quotients.get(rival) as Quotient).length, quotients) !== root) return false;
    const rise = (sizes: Sizes, symbol: string): number => (sizes[symbol] as number) - (low[symbol] as number);
    const high = samples.find((sizes) => rise(sizes, root) !== 0) as Sizes;
    const isOnLine = (sizes: Sizes) => rise(sizes, name) * rise(high, rival) === rise(sizes, rival) * rise(high, name);
    if (!samples.every(isOnLine)) return false;
    if (lengths.every(isOnLine)) return true;
    throw new OptionError(
      `exportOnnx: the strides of several windows along ${root} cannot be told apart; give its length as a number`,
    );
  });
  if (rivals.length === 0) quotients.set(name, quotient);
}
