import { describe, expect, test } from "vitest";
import { heatMap, lineChart, terminalChart, terminalHeatMap } from "./index.js";

const X = { label: "steps back" };
const Y = { label: "norm", scale: "log" } as const;
const falling = (by: number) => Array.from({ length: 17 }, (_, step) => [step, by ** step] as const);
const triangle = [1, 0.1, 0.01, 0.001].map((_, to) =>
  [0, 1, 2, 3].map((from) => (from <= to ? 10 ** (from - to) : NaN)),
);

/** The names of all elements, in order. Throws unless every tag is closed in turn, and every attribute is quoted. */
function elementsOf(svg: string): string[] {
  const [open, names]: [string[], string[]] = [[], []];
  const rest = svg.replace(/<(\/?)(\w+)((?: [\w:-]+="[^"<&]*")*)(\/?)>/g, (_, end, name, __, empty) => {
    if (end) expect(open.pop()).toBe(name);
    else names.push(name);
    if (!end && !empty) open.push(name);
    return "";
  });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!#\d+;)/);
  return names;
}
const count = (names: readonly string[], name: string) => names.filter((other) => other === name).length;

describe("lineChart", () => {
  test("is well-formed, with text of any kind, and a path and a name in the legend for each line", () => {
    const title = 'a < b & "c" > d\u0007';
    const svg = lineChart(
      [
        { name: "<lstm>", points: falling(0.5) },
        { name: "gru", points: falling(0.9) },
      ],
      { title, x: X, y: Y },
    );
    const names = elementsOf(svg);
    expect(count(names, "svg")).toBe(2);
    expect(svg).toContain("a &#60; b &#38; &#34;c&#34; &#62; d\uFFFD");
    expect(svg).toContain("&#60;lstm&#62;");
    expect(svg.match(/class="line0"/g)?.length).toBe(2);
    expect(svg.match(/class="line1"/g)?.length).toBe(2);
  });

  test("puts points where the scales say, and leaves gaps where there is nothing to show", () => {
    const points = [
      [0, 1],
      [1, 0],
      [2, 100],
      [3, 10],
      [4, Number.NaN],
    ] as const;
    const svg = lineChart([{ points }], { title: "", x: { ...X, range: [0, 4] }, y: Y, width: 400, height: 300 });
    const path = /class="line0"[^>]* d="([^"]*)"/.exec(svg)![1]!;
    const numbers = path.match(/[\d.]+/g)!.map(Number);
    const [left, bottom, x2, top, x3, middle] = numbers as [number, number, number, number, number, number];
    expect(path).toMatch(/^M[\d.]+,[\d.]+Z?M[\d.]+,[\d.]+L[\d.]+,[\d.]+$/); // alone, then from 2 to 3
    expect(x3 - left).toBeCloseTo(1.5 * (x2 - left), 0);
    expect(middle).toBeCloseTo((top + bottom) / 2, 0);
    expect(bottom).toBe(300 - 12 - 32);
  });

  test("of nothing, and of one point, has axes", () => {
    for (const scale of ["linear", "log"] as const) {
      for (const points of [[], [[3, 7]]] as [number, number][][]) {
        const svg = lineChart([{ points }], { title: "", x: X, y: { label: "norm", scale } });
        expect(count(elementsOf(svg), "text")).toBeGreaterThan(4);
        expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      }
    }
  });

  test("refuses what it cannot draw", () => {
    const draw = (options: object) => () => lineChart([], { title: "", x: X, y: Y, ...options });
    expect(draw({ widht: 3 })).toThrow('lineChart: there is no option "widht"');
    expect(draw({ width: 20 })).toThrow("lineChart: width must be a whole number of at least 200, but is 20");
    expect(draw({ y: { label: "", range: [2, 1] } })).toThrow(
      "plot axis: range must be two growing numbers, but is 2 to 1",
    );
    expect(draw({ y: { ...Y, range: [0, 1] } })).toThrow("range must be two growing numbers above 0, but is 0 to 1");
  });
});

describe("heatMap", () => {
  const options = { title: "norms", x: { label: "from" }, y: { label: "to" }, value: Y };

  test("is well-formed, and draws equal neighbours as one shape and what cannot be shown not at all", () => {
    const svg = heatMap(triangle, options);
    elementsOf(svg);
    // Four levels are in use: one shape of four cells, one of three, one of two, one of one.
    const shapes = [...svg.matchAll(/ d="(M[^"]*H[^"]*z)"/g)].map(([, d]) => d!).filter((d) => !d.includes("h"));
    expect(shapes.map((d) => d.match(/M/g)!.length)).toEqual([1, 2, 3, 4]);
    const wide = heatMap([[1, 1, 1, 2]], options);
    expect([...wide.matchAll(/ d="(M[^"]*H[^"]*z)"/g)].filter(([, d]) => !d!.includes("h")).length).toBe(2);
  });

  test("refuses ragged and empty matrices", () => {
    expect(() => heatMap([[1], [1, 2]], options)).toThrow(
      "heatMap: rows must be equally long, with at least one number, but have 1, 2",
    );
    expect(() => heatMap([], options)).toThrow("but have none");
    expect(() => terminalHeatMap([[]], options)).toThrow("terminalHeatMap: rows must be");
  });
});

describe("terminalChart", () => {
  const size = { width: 44, height: 7 };

  test("draws one line in dots", () => {
    const text = terminalChart([{ points: falling(0.5) }], { title: "Gradient", x: X, y: Y, ...size });
    expect(text).toMatchInlineSnapshot(`
      "Gradient
            norm
         1 ┤⠠⢄⣀⣀
           │    ⠉⠑⠢⠤⢄⣀⡀
      0.01 ┤          ⠈⠑⠒⠤⠤⣀
           │                ⠉⠉⠒⠢⢄⣀⡀
           │                      ⠈⠉⠑⠒⠢⢄⣀⡀
      1e-4 ┤                             ⠈⠉⠒⠤⠤⣀⣀
           │                                    ⠉⠒
           └┬────┬───┬────┬────┬───┬────┬───┬────┬
            0    2   4    6    8  10   12  14   16
                          steps back"
    `);
  });

  test("gives each of several lines its mark, with gaps for what cannot be shown", () => {
    const gap = falling(0.9).map(([step, norm]) => [step, step > 5 && step < 9 ? 0 : norm] as const);
    const series = [
      { name: "lstm", points: falling(0.5) },
      { name: "gru", points: gap },
    ];
    expect(terminalChart(series, { title: "Gradient", x: X, y: Y, ...size })).toMatchInlineSnapshot(`
      "Gradient
      o lstm   x gru
            norm
         1 ┤xxxxxxxxxxxxx        x
           │    ooooooo           xxxxxxxxxxxxxxxx
      0.01 ┤           oooo
           │               ooooooo
           │                      ooooooo
      1e-4 ┤                             ooooooo
           │                                    oo
           └┬────┬───┬────┬────┬───┬────┬───┬────┬
            0    2   4    6    8  10   12  14   16
                          steps back"
    `);
  });

  test("or its colour", () => {
    const series = [
      { name: "a", points: [[0, 0]] as const },
      { name: "b", points: [[1, 1]] as const },
    ];
    const options = { title: "", x: X, y: { label: "loss, nats" }, width: 40, height: 4 };
    const coloured = terminalChart(series, { ...options, colour: true });
    expect(coloured).toContain("\u001b[34m⠤⠤\u001b[0m a   \u001b[33m⠤⠤\u001b[0m b");
    expect(terminalChart(series, options)).not.toContain("\u001b");
  });

  test("is at most as wide as it may be, its points on the rows of their ticks", () => {
    const points = Array.from({ length: 300 }, (_, k) => [k, 1000 * Math.sin(k)] as const);
    for (const width of [40, 63, 80, 200]) {
      const lines = terminalChart([{ points }], { title: "", x: X, y: { label: "y" }, width }).split("\n");
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(width);
    }
    const flat = [0, 1, 2, 3, 4].map((y) => ({
      points: [
        [0, y],
        [1, y],
      ] as const,
    }));
    const rows = terminalChart(flat, { title: "", x: X, y: { label: "y", range: [0, 4] }, width: 40, height: 9 }).split(
      "\n",
    );
    for (const [tick, mark] of ["o", "x", "+", "*", "#"].entries()) {
      expect(rows.find((row) => row.includes(mark.repeat(9)))).toMatch(new RegExp(`^${tick} ┤`));
    }
  });

  test("leaves out what is beyond the range", () => {
    const points = [0, 1, 2, 1e300].map((y, x) => [x, y] as const);
    const text = terminalChart([{ points }], { title: "", x: X, y: { label: "y", range: [0, 1] }, ...size });
    expect(text.split("\n").some((line) => /[\u2801-\u28ff] *$/.test(line.slice(30)))).toBe(false);
  });
});

describe("terminalHeatMap", () => {
  const options = { title: "Norms", x: { label: "from step" }, y: { label: "to step" }, value: Y };

  test("draws the first row at the bottom, twice as wide as high", () => {
    expect(terminalHeatMap(triangle, options)).toMatchInlineSnapshot(`
      "Norms
      norm:   . 0.001   = 0.01   # 0.1   @ 1
         to step
      3 ┤..==##@@
      2 ┤==##@@
      1 ┤##@@
      0 ┤@@
        └─┬─┬──┬─
          0 1  3
         from step"
    `);
  });

  test("shows the largest of the numbers that share a character", () => {
    const large = Array.from({ length: 200 }, (_, row) => Array.from({ length: 200 }, () => (row === 100 ? 5 : 1)));
    const lines = terminalHeatMap(large, { ...options, height: 10 }).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => line.includes("@@@@")).length).toBe(1);
    expect(lines.filter((line) => line.includes("....")).length).toBe(9);
  });
});
