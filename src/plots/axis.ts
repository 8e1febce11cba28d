/** Axes of plots: what they span, and where their ticks are. Scales by d3. */

import { scaleLinear, scaleLog } from "d3-scale";
import { OptionError, requireKnownKeys } from "../core/index.js";

/** A line. A point that is not finite, or not above 0 on a logarithmic axis, is a gap in it. */
export interface PlotSeries {
  /** Its name in the legend. @default none */
  readonly name?: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** One direction of a plot. */
export interface PlotAxis {
  /** What it shows, with the unit if it has one: "time, s". */
  readonly label: string;
  /** @default "linear" */
  readonly scale?: "linear" | "log";
  /** What is shown, the least and the most; widened to round numbers where it is vertical. @default the range of the data */
  readonly range?: readonly [least: number, most: number];
}

/** A tick: its place in the unit interval, 0 at the least value shown, and its label. */
export interface Tick {
  readonly value: number;
  readonly place: number;
  readonly label: string;
}

/** From values to the unit interval. */
export interface UnitScale {
  /** Undefined for what cannot be shown. */
  place(value: number): number | undefined;
  /** About `count` ticks, from the least to the most. */
  ticks(count: number): Tick[];
}

/** The scale of an axis for some values. @param round whether it ends at round numbers */
export function unitScale(axis: PlotAxis, values: Iterable<number>, round: boolean): UnitScale {
  requireKnownKeys("plot axis", axis, ["label", "scale", "range"]);
  const isLog = axis.scale === "log";
  const canShow = (value: number) => Number.isFinite(value) && (!isLog || value > 0);
  if (axis.range && !(axis.range.every(canShow) && axis.range[0] < axis.range[1])) {
    throw new OptionError(
      `plot axis: range must be two growing numbers${isLog ? " above 0" : ""}, but is ${axis.range.join(" to ")}`,
    );
  }
  const scale = (isLog ? scaleLog() : scaleLinear()).domain(axis.range ?? rangeOf(values, canShow, isLog));
  if (round) scale.nice();
  return {
    place: (value) => (canShow(value) ? scale(value) : undefined),
    ticks: (count) => {
      const label = scale.tickFormat(count);
      return scale
        .ticks(count)
        .filter((value) => label(value) !== "") // between powers of ten d3 leaves some without a label
        .map((value) => ({ value, place: scale(value), label: formatTick(value) }));
    },
  };
}

function rangeOf(values: Iterable<number>, canShow: (value: number) => boolean, isLog: boolean): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!canShow(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least > most) return isLog ? [1, 10] : [0, 1];
  if (least < most) return [least, most];
  return isLog ? [least / 2, least * 2] : [least - 0.5, least + 0.5];
}

/** 0.5, 2000, 1e-7, without the digits that arithmetic leaves behind. */
function formatTick(value: number): string {
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(6));
  return size === 0 || (size >= 1e-3 && size < 1e5) ? String(rounded) : rounded.toExponential().replace("e+", "e");
}

/** The values of one axis of some series. */
export const valuesOf = (series: readonly PlotSeries[], axis: 0 | 1): number[] =>
  series.flatMap(({ points }) => points.map((point) => point[axis]));
