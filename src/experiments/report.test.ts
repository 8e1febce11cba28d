import { describe, expect, test } from "vitest";
import { experimentById } from "./registry.js";
import { formatFigure, formatRange, formatSource, reportOf } from "./report.js";

const result = {
  id: "elman-1990/xor",
  cell: "elman",
  effort: 1,
  runs: [
    {
      seed: 1,
      success: true,
      figures: { predictable: 0.15, random: 0.27 },
      curve: [
        [0.5, 0.25],
        [1, 0.23],
      ],
      seconds: 2,
    },
    {
      seed: 2,
      success: false,
      figures: { predictable: 0.21, random: 0.26 },
      curve: [
        [0.5, 0.25],
        [1, 0.24],
      ],
      seconds: 4,
    },
  ],
} as const;

describe("reportOf", () => {
  test("puts what is expected, the aim and ours in one row", () => {
    const { markdown } = reportOf(experimentById(result.id), result, "curves.svg");
    const lines = markdown.split("\n");
    expect(lines[0]).toBe("# Exclusive or in time");
    expect(markdown).toContain("1 of 2 seeds reached the aim; 6 s in all.");
    expect(lines).toContain(
      "| squared error at the third bit | 0.1111 (derived) | below 0.2 | 0.18 | 0.18 | 0.15 to 0.21 |",
    );
    expect(lines).toContain(
      "| squared error at the two random bits | 0.2778 (derived) |  | 0.265 | 0.265 | 0.26 to 0.27 |",
    );
    expect(lines).toContain("![learning curves](curves.svg)");
    expect(lines).toContain("| 2 | no | 4 |");
  });

  test("says none where no seed has a figure", () => {
    const failed = {
      seed: 1,
      success: false,
      figures: { solved: 0, presentations: 50, wrong: 3, error: 0.2 },
      curve: [],
      seconds: 1,
    };
    const { markdown } = reportOf(
      experimentById("lstm-1997/4"),
      { id: "lstm-1997/4", cell: "lstm-1997", effort: 1, runs: [failed] },
      "curves.svg",
    );
    expect(markdown).toContain("| sequences presented until then | 74000 |  | none | none | none |");
  });

  test("says what was done otherwise than the literature's way", () => {
    const { markdown } = reportOf(experimentById(result.id), { ...result, effort: 0.25 }, "curves.svg");
    expect(markdown).toContain("`elman-1990/xor`, cell elman, 0.25 of the training");
  });
});

test("figures have four digits, ranges are words, sources are told in full", () => {
  expect([0.123456, 12345, 1, 4e-7, Number.NaN].map(formatFigure)).toEqual(["0.1235", "12350", "1", "4e-7", "NaN"]);
  expect(formatRange({ below: 0.2 })).toBe("below 0.2");
  expect(formatRange({ from: 0.4, to: 0.6 })).toBe("at least 0.4, at most 0.6");
  expect(formatRange({ from: 0.5, to: 0.5 })).toBe("0.5");
  expect(formatRange({ above: 1 })).toBe("above 1");
  expect(formatSource({ authors: "A", year: 1990, title: "B", where: "table 1", link: "doi:1" })).toBe(
    "A 1990, B, table 1, doi:1",
  );
});

describe("the picture of a report", () => {
  type Curve = readonly (readonly [number, number])[];
  const svgOf = (...curves: Curve[]) =>
    reportOf(
      experimentById(result.id),
      { ...result, runs: curves.map((curve, k) => ({ ...result.runs[0], seed: k + 1, curve })) },
      "curves.svg",
    ).svg;
  /** Heights of the points of each curve, downwards. */
  const heights = (svg: string) =>
    [...svg.matchAll(/stroke-linecap="round" d="([^"]*)"/g)].map(([, path]) =>
      [...(path as string).matchAll(/[ML][\d.]+,([\d.]+)/g)].map(([, y]) => Number(y)),
    );

  test("has a curve for each seed, larger errors higher, with the seed's name if they are few", () => {
    const svg = svgOf(
      [
        [0, 1],
        [1, 0.5],
      ],
      [
        [0, 1],
        [1, 0.25],
      ],
    );
    const [first, second] = heights(svg) as [number[], number[]];
    expect(first[1]).toBeGreaterThan(first[0] as number);
    expect((second[1] as number) - second[0]!).toBeCloseTo(1.5 * (first[1]! - first[0]!), 0);
    expect(svg).toContain("seed 2");
    expect(
      svgOf(
        ...Array.from(
          { length: 8 },
          () =>
            [
              [0, 1],
              [1, 0.5],
            ] as const,
        ),
      ),
    ).not.toContain("seed 2");
  });

  test("has a logarithmic axis for errors that fall twentyfold, and a gap where an error is no number", () => {
    const [path] = heights(
      svgOf([
        [0, 1],
        [0.25, Number.NaN],
        [0.5, 0.1],
        [1, 0.01],
      ]),
    ) as [number[]];
    expect(path.length).toBe(3);
    expect(path[2]! - path[1]!).toBeCloseTo(path[1]! - path[0]!, 0);
  });
});
