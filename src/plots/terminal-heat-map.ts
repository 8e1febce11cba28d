/** A matrix as text: every number a shade. */

import { requireInteger, requireKnownKeys } from "../core/index.js";
import { unitScale } from "./axis.js";
import { cellTicks, columnsOf, type HeatMapOptions } from "./heat-map.js";
import { fieldColumns, framed, TERMINAL_WIDTH } from "./terminal-frame.js";

/** What a heat map says beside its shades. */
export interface TerminalHeatMapOptions extends Pick<HeatMapOptions, "title" | "x" | "y" | "value"> {
  /** Most columns of the whole text, at least 40. @default 80 */
  readonly width?: number;
  /** Most rows of the field, at least 4. @default 20 */
  readonly height?: number;
}

/** Shades, light to dense. */
const SHADES = ".:-=+*#%@";

/**
 * Draws a matrix, row by row, the first one at the bottom, as a heat map of text. Where several numbers share a character, it shows the largest.
 * Empty: no number that is finite, and above 0 on a logarithmic scale.
 * @returns lines without a line break at the end
 * @throws OptionError if an option is unknown or out of range, or rows differ in length
 */
export function terminalHeatMap(rows: readonly (readonly number[])[], options: TerminalHeatMapOptions): string {
  requireKnownKeys("terminalHeatMap", options, ["title", "x", "y", "value", "width", "height"]);
  const { title, width = TERMINAL_WIDTH, height = 20 } = options;
  requireInteger("terminalHeatMap", "width", width, 40);
  requireInteger("terminalHeatMap", "height", height, 4);
  const columns = columnsOf("terminalHeatMap", rows);
  const value = unitScale(options.value, rows.flat(), false);
  const yTicks = cellTicks(options.y, rows.length);

  const rowsEach = Math.ceil(rows.length / height);
  const room = fieldColumns(width, yTicks);
  const columnsEach = Math.ceil(columns / room);
  // A matrix cell is as wide as it is high: twice as many characters.
  const characters =
    columnsEach === 1 ? Math.max(1, Math.min(Math.floor(room / columns), Math.round(2 / rowsEach))) : 1;

  const lines: string[] = [];
  for (let row = 0; row < rows.length; row += rowsEach) {
    let line = "";
    for (let column = 0; column < columns; column += columnsEach) {
      const places = rows
        .slice(row, row + rowsEach)
        .flatMap((numbers) => numbers.slice(column, column + columnsEach).map(value.place))
        .filter((place) => place !== undefined);
      line += shadeOf(places).repeat(characters);
    }
    lines.unshift(line);
  }
  const ticks = value.ticks(5);
  const shades = ticks.map(({ place, label }) => `${shadeOf([place])} ${label}`).join("   ");
  return framed(lines, lines[0]?.length ?? 0, {
    title,
    above: [`${options.value.label}:   ${shades}`],
    x: { label: options.x.label, ticks: cellTicks(options.x, columns) },
    y: { label: options.y.label, ticks: yTicks },
  });
}

function shadeOf(places: readonly number[]): string {
  if (places.length === 0) return " ";
  const place = Math.min(1, Math.max(0, ...places));
  return SHADES[Math.min(SHADES.length - 1, Math.floor(place * SHADES.length))] as string;
}
