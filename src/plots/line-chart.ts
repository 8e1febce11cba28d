/** Lines as an SVG picture. Paths by d3. */

import { line } from "d3-shape";
import { requireInteger, requireKnownKeys } from "../core/index.js";
import { type PlotAxis, type PlotSeries, unitScale, valuesOf } from "./axis.js";
import { axesAround, fieldIn, legend, lineClass, picture, pixels } from "./svg.js";

/** What a chart says beside its lines. */
export interface LineChartOptions {
  readonly title: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  /** Pixels, at least 200. @default 640 */
  readonly width?: number;
  /** Pixels, at least 150. @default 320 */
  readonly height?: number;
}

/**
 * Draws lines into a chart, with a legend if they have names. Light or dark as the reader has it.
 * @throws OptionError if an option is unknown or out of range
 * @example lineChart([{ points: losses.map((loss, step) => [step, loss]) }], { title: "Training", x: { label: "step" }, y: { label: "loss, nats" } })
 */
export function lineChart(series: readonly PlotSeries[], options: LineChartOptions): string {
  requireKnownKeys("lineChart", options, ["title", "x", "y", "width", "height"]);
  const { title, width = 640, height = 320 } = options;
  requireInteger("lineChart", "width", width, 200);
  requireInteger("lineChart", "height", height, 150);
  const x = unitScale(options.x, valuesOf(series, 0), false);
  const y = unitScale(options.y, valuesOf(series, 1), true);
  const [xTicks, yTicks] = [x.ticks(6), y.ticks(5)];

  const names = series.map(({ name }) => name);
  const withoutLegend = fieldIn(width, height, yTicks, { above: 0, beside: 0 });
  const { parts: legendParts, height: above } = legend(names, withoutLegend);
  const field = fieldIn(width, height, yTicks, { above, beside: 0 });
  const inner = { width: field.right - field.left + 2, height: field.bottom - field.top + 2 };
  const path = line<readonly [number, number]>()
    .defined((point) => x.place(point[0]) !== undefined && y.place(point[1]) !== undefined)
    .x((point) => pixels(field.left + (x.place(point[0]) as number) * (field.right - field.left)))
    .y((point) => pixels(field.bottom - (y.place(point[1]) as number) * (field.bottom - field.top)));
  return picture(width, height, title, [
    ...axesAround(field, {
      title,
      x: { label: options.x.label, ticks: xTicks },
      y: { label: options.y.label, ticks: yTicks },
      grid: true,
    }),
    ...legendParts,
    // A picture inside the picture cuts off what is outside of the ranges.
    `<svg x="${field.left - 1}" y="${field.top - 1}" width="${inner.width}" height="${inner.height}" viewBox="${field.left - 1} ${field.top - 1} ${inner.width} ${inner.height}">`,
    ...series.map(
      ({ points }, k) =>
        `<path class="${lineClass(k)}" fill="none" stroke-width="1.5" stroke-linecap="round" d="${path(points) ?? ""}"/>`,
    ),
    "</svg>",
  ]);
}
