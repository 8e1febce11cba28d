/** Lines as text. */

import { requireInteger, requireKnownKeys } from "../core/index.js";
import { type PlotAxis, type PlotSeries, unitScale, valuesOf } from "./axis.js";
import { fieldColumns, framed, lengthOf, TERMINAL_WIDTH } from "./terminal-frame.js";

/** What a chart says beside its lines. */
export interface TerminalChartOptions {
  readonly title: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  /** Columns of the whole text, at least 40. @default 80 */
  readonly width?: number;
  /** Rows of the field, at least 4. @default 14 */
  readonly height?: number;
  /** Whether lines differ in colour (ANSI escape sequences) rather than in their marks. @default false */
  readonly colour?: boolean;
}

/** Marks of lines, when there are several and no colours. */
const MARKS = ["o", "x", "+", "*", "#", "@", "%"] as const;
/** Blue, yellow, green, magenta, cyan, red, and that of the text. */
const COLOURS = [34, 33, 32, 35, 36, 31, 39] as const;
/** Bits of the 2 by 4 dots of a Braille character, row by row. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const EMPTY_BRAILLE = 0x2800;

/**
 * Draws lines into a chart of text: in dots of Braille characters, or, if there are several lines and no colours, each with a mark of its own.
 * @returns lines without a line break at the end
 * @throws OptionError if an option is unknown or out of range
 * @example terminalChart([{ points: norms.map((norm, back) => [back, norm]) }], { title: "Gradient", x: { label: "steps back" }, y: { label: "norm", scale: "log" } })
 */
export function terminalChart(series: readonly PlotSeries[], options: TerminalChartOptions): string {
  requireKnownKeys("terminalChart", options, ["title", "x", "y", "width", "height", "colour"]);
  const { title, width = TERMINAL_WIDTH, height = 14, colour = false } = options;
  requireInteger("terminalChart", "width", width, 40);
  requireInteger("terminalChart", "height", height, 4);
  const x = unitScale(options.x, valuesOf(series, 0), false);
  const y = unitScale(options.y, valuesOf(series, 1), true);
  const yTicks = y.ticks(Math.ceil(height / 3));
  const columns = fieldColumns(width, yTicks);
  const marks = series.length > 1 && !colour;
  const [wide, high] = marks ? [1, 1] : [2, 4];
  const inColour = (text: string, k: number) =>
    colour ? `\u001b[${COLOURS[k % COLOURS.length]}m${text}\u001b[0m` : text;
  const markOf = (k: number) => (marks ? (MARKS[k % MARKS.length] as string) : "⠤⠤");

  /** For each character: the dots that are set, and the line that set one last. */
  const cells = Array.from({ length: height }, () => Array.from({ length: columns }, () => ({ dots: 0, line: -1 })));
  series.forEach(({ points }, line) => {
    const dots = points.map((point): Dot | undefined => {
      const [right, up] = [near(x.place(point[0])), near(y.place(point[1]))];
      if (right === undefined || up === undefined) return undefined;
      // From the middle of the first character to the middle of the last one, where the ticks are.
      return [
        Math.round(right * (columns - 1) * wide + (wide - 1) / 2),
        Math.round((1 - up) * (height - 1) * high + (high - 1) / 2),
      ];
    });
    for (const [column, row] of connected(dots)) {
      const cell = cells[Math.floor(row / high)]?.[Math.floor(column / wide)];
      if (!cell) continue; // outside of the range that is shown
      cell.dots |= DOTS[row % high]?.[column % wide] as number;
      cell.line = line;
    }
  });
  const rows = cells.map((row) =>
    row
      .map(({ dots, line }) => {
        if (line < 0) return " ";
        return marks ? markOf(line) : inColour(String.fromCodePoint(EMPTY_BRAILLE + dots), line);
      })
      .join(""),
  );
  const names = series.flatMap(({ name }, k) =>
    name === undefined ? [] : [{ text: `${inColour(markOf(k), k)} ${name}`, length: lengthOf(`${markOf(k)} ${name}`) }],
  );
  return framed(rows, columns, {
    title,
    above: legendLines(names, width),
    x: { label: options.x.label, ticks: x.ticks(6) },
    y: { label: options.y.label, ticks: yTicks },
  });
}

/** A place at most the size of the field away from it: lines to points far outside of a range take no longer to draw. */
const near = (place: number | undefined) => (place === undefined ? undefined : Math.min(2, Math.max(-1, place)));

/** The row is counted from the top. */
type Dot = readonly [column: number, row: number];

/** All dots of a line through these. */
function* connected(dots: readonly (Dot | undefined)[]): Generator<Dot> {
  for (const [index, to] of dots.entries()) {
    if (!to) continue;
    const from = dots[index - 1] ?? to;
    const steps = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]), 1);
    for (let step = 0; step <= steps; step++) {
      yield [
        Math.round(from[0] + ((to[0] - from[0]) * step) / steps),
        Math.round(from[1] + ((to[1] - from[1]) * step) / steps),
      ];
    }
  }
}

/** Names side by side, as many on a line as there is room for. */
function legendLines(names: readonly { readonly text: string; readonly length: number }[], width: number): string[] {
  const lines: string[] = [];
  let used = width;
  for (const { text, length } of names) {
    if (used + 3 + length > width) {
      lines.push(text);
      used = length;
    } else {
      lines[lines.length - 1] += `   ${text}`;
      used += 3 + length;
    }
  }
  return lines;
}
