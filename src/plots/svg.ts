/** What all SVG pictures have in common: colours for light and dark, text, and axes around a field. */

import type { Tick } from "./axis.js";

/** Colours of lines on light and on dark ground, which stay apart for most colour-blind eyes (after Okabe & Ito 2008). */
const LINES = [
  ["#0072b2", "#56b4e9"],
  ["#d55e00", "#ff8c42"],
  ["#008a63", "#2fcc9b"],
  ["#b3508c", "#e69ac6"],
  ["#8a6d00", "#f0c840"],
  ["#5b5bd6", "#a5a5ff"],
  ["#444444", "#cccccc"],
] as const;

/** Class of the k-th line. */
export const lineClass = (k: number): string => `line${k % LINES.length}`;

/** Class of the whole picture: rules end there, should it be put into a page. */
const ROOT = "through-time-plot";

/** The rules for light, 0, or dark, 1. */
const rules = (part: 0 | 1): string => {
  const [ground, ink, grid] = [
    ["#ffffff", "#1f2328", "#d9dde2"],
    ["#15181c", "#e6e9ec", "#3a4048"],
  ][part] as [string, string, string];
  return [
    `.ground{fill:${ground}}`,
    `text{fill:${ink}}`,
    `.grid{stroke:${grid}}`,
    `.frame{stroke:${ink};fill:none}`,
    ...LINES.map((pair, k) => `.line${k}{stroke:${pair[part]}}`),
  ]
    .map((rule) => `.${ROOT} ${rule}`)
    .join("");
};

const STYLE = `${rules(0)}@media(prefers-color-scheme:dark){${rules(1)}}`;

/** About the width of a character of the font, pixels. */
const CHARACTER = 6.6;
const LINE_HEIGHT = 16;

export const textWidth = (text: string): number => [...text].length * CHARACTER;

/** Text as SVG takes it. */
export const escapeText = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/(?![\n\t])\p{Cc}/gu, "\uFFFD");

/** A length in pixels, to a tenth. */
export const pixels = (value: number): number => Math.round(value * 10) / 10;

/** Text at a place. */
export const textAt = (x: number, y: number, text: string, anchor: "start" | "middle" | "end" = "start"): string =>
  `<text x="${pixels(x)}" y="${pixels(y)}"${anchor === "start" ? "" : ` text-anchor="${anchor}"`}>${escapeText(text)}</text>`;

/** The whole picture. It has a ground of its own, so that it can be read wherever it is put. */
export const picture = (width: number, height: number, title: string, parts: readonly string[]): string =>
  [
    `<svg class="${ROOT}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui,sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${STYLE}</style>`,
    '<rect class="ground" width="100%" height="100%"/>',
    ...parts,
    "</svg>\n",
  ].join("\n");

/** Where the data are drawn, pixels. */
export interface Field {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The field of a picture, with room for the title, the labels of both axes, and `above` and `beside` it. */
export function fieldIn(
  width: number,
  height: number,
  yTicks: readonly Tick[],
  { above, beside }: { readonly above: number; readonly beside: number },
): Field {
  const widest = Math.max(0, ...yTicks.map(({ label }) => textWidth(label)));
  return {
    left: Math.ceil(LINE_HEIGHT + 10 + widest + 6),
    right: width - 16 - beside,
    top: 12 + LINE_HEIGHT + above,
    bottom: height - 12 - 2 * LINE_HEIGHT,
  };
}

/** Title, ticks and labels around a field; with a grid, the lines through it. */
export function axesAround(
  { left, right, top, bottom }: Field,
  { title, x, y, grid }: { title: string; x: AxisMarks; y: AxisMarks; grid: boolean },
): string[] {
  const across = (place: number) => pixels(left + place * (right - left));
  const up = (place: number) => pixels(bottom - place * (bottom - top));
  return [
    `<g font-weight="600">${textAt(left, 20, title)}</g>`,
    ...y.ticks.flatMap(({ place, label }) => [
      ...(grid ? [`<path class="grid" d="M${left} ${up(place)}H${right}"/>`] : []),
      textAt(left - 6, up(place) + 4, label, "end"),
    ]),
    ...x.ticks.map(({ place, label }) => textAt(across(place), bottom + LINE_HEIGHT, label, "middle")),
    textAt((left + right) / 2, bottom + 2 * LINE_HEIGHT + 2, x.label, "middle"),
    `<g transform="rotate(-90)">${textAt(-(top + bottom) / 2, LINE_HEIGHT, y.label, "middle")}</g>`,
  ];
}

/** An axis as it is drawn. */
export interface AxisMarks {
  readonly label: string;
  readonly ticks: readonly Tick[];
}

/** A legend in rows above a field, as wide as it; and how high it is, pixels. */
export function legend(
  names: readonly (string | undefined)[],
  { left, right, top }: { readonly left: number; readonly right: number; readonly top: number },
): { readonly parts: readonly string[]; readonly height: number } {
  const parts: string[] = [];
  let [x, row] = [left, 0];
  names.forEach((name, k) => {
    if (name === undefined) return;
    const width = 26 + textWidth(name) + 14;
    if (x > left && x + width > right) [x, row] = [left, row + 1];
    const y = top + row * LINE_HEIGHT;
    parts.push(`<path class="${lineClass(k)}" stroke-width="2" d="M${pixels(x)} ${y + 8}h20"/>`);
    parts.push(textAt(x + 26, y + 12, name));
    x += width;
  });
  return { parts, height: parts.length === 0 ? 0 : (row + 1) * LINE_HEIGHT + 6 };
}
