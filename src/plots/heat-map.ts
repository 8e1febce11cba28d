/** A matrix as an SVG picture: every number a colour. */

import { scaleLinear } from "d3-scale";
import { OptionError, requireInteger, requireKnownKeys } from "../core/index.js";
import { type PlotAxis, type Tick, unitScale } from "./axis.js";
import { axesAround, fieldIn, picture, pixels, textAt, textWidth } from "./svg.js";

/** What a heat map says beside its colours. */
export interface HeatMapOptions {
  readonly title: string;
  /** What the columns are. The range is that of the first and the last; by default they are numbered from 0. */
  readonly x: Pick<PlotAxis, "label" | "range">;
  /** What the rows are, the first one at the bottom. */
  readonly y: Pick<PlotAxis, "label" | "range">;
  /** What the numbers are. */
  readonly value: PlotAxis;
  /** Pixels, at least 200. @default 560 */
  readonly width?: number;
  /** Pixels, at least 150. @default 480 */
  readonly height?: number;
}

/** Colours between which a value is placed: dark to bright, even for eyes that see no colours. */
const COLOURS = ["#2b1055", "#51307f", "#35618f", "#1f8a8c", "#3fb26f", "#a5d13c", "#fde74c"] as const;
/** Different colours that are used: rows of equal ones become one shape. */
const LEVELS = 24;
const BAR = 14;

/** The columns of a matrix with at least one number. @throws OptionError if it has none, or is ragged */
export function columnsOf(where: string, rows: readonly (readonly number[])[]): number {
  const columns = rows[0]?.length ?? 0;
  if (columns === 0 || rows.some(({ length }) => length !== columns)) {
    throw new OptionError(
      `${where}: rows must be equally long, with at least one number, but have ${[...new Set(rows.map(({ length }) => length))].join(", ") || "none"}`,
    );
  }
  return columns;
}

/** The ticks of `count` columns or rows, each as wide as 1, its number in the middle; without a range only whole numbers. */
export function cellTicks({ label, range }: HeatMapOptions["x"], count: number): Tick[] {
  const [first, last] = range ?? [0, count - 1];
  const half = count > 1 ? (last - first) / (count - 1) / 2 : 0.5;
  return unitScale({ label, range: [first - half, last + half] }, [], false)
    .ticks(6)
    .filter(({ value }) => value >= first && value <= last && (range || Number.isInteger(value)));
}

/**
 * Draws a matrix, row by row, as a heat map with a scale of its colours. A number that is not finite, or not above 0 on a logarithmic
 * scale, stays empty.
 * @throws OptionError if an option is unknown or out of range, or rows differ in length
 * @example heatMap([[1, 2], [3, 4]], { title: "Weights", x: { label: "from" }, y: { label: "to" }, value: { label: "weight" } })
 */
export function heatMap(rows: readonly (readonly number[])[], options: HeatMapOptions): string {
  requireKnownKeys("heatMap", options, ["title", "x", "y", "value", "width", "height"]);
  const { title, width = 560, height = 480 } = options;
  requireInteger("heatMap", "width", width, 200);
  requireInteger("heatMap", "height", height, 150);
  const columns = columnsOf("heatMap", rows);
  const value = unitScale(options.value, rows.flat(), false);
  const valueTicks = value.ticks(5);
  const [xTicks, yTicks] = [cellTicks(options.x, columns), cellTicks(options.y, rows.length)];
  const beside = BAR + 16 + 8 + Math.max(textWidth("0"), ...valueTicks.map(({ label }) => textWidth(label))) + 22;
  const field = fieldIn(width, height, yTicks, { above: 0, beside });

  const [cellWidth, cellHeight] = [(field.right - field.left) / columns, (field.bottom - field.top) / rows.length];
  const shapes = Array.from({ length: LEVELS }, () => "");
  rows.forEach((row, index) => {
    const levels = row.map((number) => levelOf(value.place(number)));
    const top = pixels(field.bottom - (index + 1) * cellHeight);
    const high = pixels(pixels(field.bottom - index * cellHeight) - top);
    for (let from = 0; from < columns; ) {
      let to = from + 1;
      while (to < columns && levels[to] === levels[from]) to++;
      const level = levels[from];
      if (level !== undefined) {
        const [left, right] = [pixels(field.left + from * cellWidth), pixels(field.left + to * cellWidth)];
        shapes[level] += `M${left} ${top}H${right}v${high}H${left}z`;
      }
      from = to;
    }
  });
  const barLeft = field.right + 16;
  const step = (field.bottom - field.top) / LEVELS;
  return picture(width, height, title, [
    ...axesAround(field, {
      title,
      x: { label: options.x.label, ticks: xTicks },
      y: { label: options.y.label, ticks: yTicks },
      grid: false,
    }),
    '<g shape-rendering="crispEdges">',
    ...shapes.flatMap((shape, level) => (shape === "" ? [] : [`<path fill="${colourOf(level)}" d="${shape}"/>`])),
    ...shapes.map(
      (_, level) =>
        `<path fill="${colourOf(level)}" d="M${barLeft} ${pixels(field.bottom - (level + 1) * step)}h${BAR}v${pixels(step + 0.1)}h${-BAR}z"/>`,
    ),
    "</g>",
    `<path class="frame" d="M${field.left} ${field.top}V${field.bottom}H${field.right}"/>`,
    ...valueTicks.map(({ place, label }) =>
      textAt(barLeft + BAR + 6, field.bottom - place * (field.bottom - field.top) + 4, label),
    ),
    `<g transform="rotate(90)">${textAt((field.top + field.bottom) / 2, -(width - 18), options.value.label, "middle")}</g>`,
  ]);
}

const levelOf = (place: number | undefined): number | undefined =>
  place === undefined ? undefined : Math.min(LEVELS - 1, Math.max(0, Math.floor(place * LEVELS)));

const ramp = scaleLinear<string>()
  .domain(COLOURS.map((_, k) => (k * (LEVELS - 1)) / (COLOURS.length - 1)))
  .range(COLOURS);
const hex = (part: string): string => Number(part).toString(16).padStart(2, "0");
/** d3 gives rgb(1, 2, 3). */
const colourOf = (level: number): string => `#${(ramp(level).match(/\d+/g) ?? []).map(hex).join("")}`;
