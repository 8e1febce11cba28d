/** Axes around rows of characters. */

import type { Tick } from "./axis.js";

/** The width of a terminal where nothing else is said. */
export const TERMINAL_WIDTH = 80;

/** Characters that a text takes on a line; letters of double width are not expected here. */
export const lengthOf = (text: string): number => [...text].length;

/** Columns that are left for the field beside the labels of the ticks. */
export const fieldColumns = (width: number, yTicks: readonly Tick[]): number =>
  width - 2 - Math.max(0, ...yTicks.map(({ label }) => lengthOf(label)));

/** What is written around a field. */
export interface Frame {
  readonly title: string;
  /** Lines between the title and the field. */
  readonly above: readonly string[];
  readonly x: { readonly label: string; readonly ticks: readonly Tick[] };
  readonly y: { readonly label: string; readonly ticks: readonly Tick[] };
}

/** Puts axes, ticks and labels around the rows of a field, top first. @param columns the width of the field */
export function framed(rows: readonly string[], columns: number, { title, above, x, y }: Frame): string {
  const margin = Math.max(0, ...y.ticks.map(({ label }) => lengthOf(label)));
  const labelOfRow = new Map(y.ticks.map(({ place, label }) => [Math.round((1 - place) * (rows.length - 1)), label]));
  const indent = " ".repeat(margin + 2);
  const { axis, labels } = horizontalAxis(x.ticks, columns);
  return [
    title,
    ...above,
    `${indent}${y.label}`,
    ...rows.map((row, index) => {
      const label = labelOfRow.get(index);
      return `${(label ?? "").padStart(margin)} ${label === undefined ? "│" : "┤"}${row}`;
    }),
    `${" ".repeat(margin)} └${axis}`,
    `${indent}${labels}`,
    `${indent}${" ".repeat(Math.max(0, Math.floor((columns - lengthOf(x.label)) / 2)))}${x.label}`,
  ]
    .map((line) => line.trimEnd())
    .join("\n");
}

/** The line of an axis, and the labels below it; a label for which there is no room is left out. */
function horizontalAxis(ticks: readonly Tick[], columns: number): { readonly axis: string; readonly labels: string } {
  const axis = new Array<string>(columns).fill("─");
  let labels = "";
  for (const { place, label } of ticks) {
    const at = Math.round(place * (columns - 1));
    const start = Math.max(0, Math.min(columns - label.length, at - Math.floor(label.length / 2)));
    if (labels !== "" && start <= labels.length) continue;
    axis[at] = "┬";
    labels = labels.padEnd(start) + label;
  }
  return { axis: axis.join(""), labels };
}
