/** A result as people read it: Markdown with the literature's figures beside ours, and the learning curves. */

import type { Range } from "../core/index.js";
import { lineChart } from "../plots/index.js";
import type { Experiment, Source } from "./experiment.js";
import { experimentById } from "./registry.js";
import { type ExperimentResult, type FigureSummary, type SeedResult, summarize } from "./run-experiment.js";

/** Four digits, and no more zeros than needed: 0.1234, 12340, 5e-7. */
export const formatFigure = (value: number): string => String(Number(value.toPrecision(4)));

/** A range in words: `below 0.01`. */
export const formatRange = ({ above, from, to, below }: Range): string =>
  from !== undefined && from === to
    ? formatFigure(from)
    : [
        ...(above === undefined ? [] : [`above ${formatFigure(above)}`]),
        ...(from === undefined ? [] : [`at least ${formatFigure(from)}`]),
        ...(to === undefined ? [] : [`at most ${formatFigure(to)}`]),
        ...(below === undefined ? [] : [`below ${formatFigure(below)}`]),
      ].join(", ");

/** Authors, year, title, place. */
export const formatSource = ({ authors, year, title, where, link }: Source): string =>
  `${authors} ${year}, ${title}, ${where}${link === undefined ? "" : `, ${link}`}`;

/** One row of the table of figures, all of it text. */
export interface FigureRow {
  readonly name: string;
  /** The literature's value; or what follows from the task, which is said; or "". */
  readonly paper: string;
  /** What a run must reach, or "". */
  readonly aim: string;
  readonly mean: string;
  readonly median: string;
  /** Least to most. */
  readonly range: string;
}

/** A figure over seeds, of which there may be none that has it. */
const summaryFigure = (value: number): string => (Number.isNaN(value) ? "none" : formatFigure(value));

/** The table of figures, one row each. */
export function figureRows({ figures }: Experiment, summaries: Readonly<Record<string, FigureSummary>>): FigureRow[] {
  return Object.entries(figures).map(([key, { name, paper, derived, aim }]) => {
    const { mean, median, least, most } = summaries[key] as FigureSummary;
    return {
      name,
      paper:
        paper !== undefined ? formatFigure(paper) : derived !== undefined ? `${formatFigure(derived)} (derived)` : "",
      aim: aim === undefined ? "" : formatRange(aim),
      mean: summaryFigure(mean),
      median: summaryFigure(median),
      range:
        least === most || Number.isNaN(least)
          ? summaryFigure(least)
          : `${formatFigure(least)} to ${formatFigure(most)}`,
    };
  });
}

/** A report: the files that it is made of. */
export interface Report {
  readonly markdown: string;
  /** The learning curves, an SVG picture. */
  readonly svg: string;
}

/**
 * Reports on a result that has one run at least.
 * @param svgName the name under which the picture is saved beside the Markdown
 */
export function reportOf(
  experiment: Experiment,
  { cell, method, effort, runs }: ExperimentResult,
  svgName: string,
): Report {
  const { seeds, successes, figures, seconds } = summarize(experiment, runs);
  const lines = [
    `# ${experiment.title}`,
    "",
    `\`${experiment.id}\`, cell ${cell}${method === undefined ? "" : `, method ${method}`}${effort === 1 ? "" : `, ${formatFigure(effort)} of the training`}`,
    "",
    formatSource(experiment.source),
    "",
    ...(experiment.notes === undefined ? [] : [experiment.notes, ""]),
    `${successes} of ${seeds} ${seeds === 1 ? "seed" : "seeds"} reached the aim; ${formatFigure(seconds)} s in all.`,
    "",
    "| figure | literature | aim | mean | median | least to most |",
    "|---|---|---|---|---|---|",
    ...figureRows(experiment, figures).map(
      ({ name, paper, aim, mean, median, range }) => `| ${name} | ${paper} | ${aim} | ${mean} | ${median} | ${range} |`,
    ),
    "",
    `![learning curves](${svgName})`,
    "",
    "| seed | success | seconds |",
    "|---|---|---|",
    ...runs.map(({ seed, success, seconds: own }) => `| ${seed} | ${success ? "yes" : "no"} | ${formatFigure(own)} |`),
  ];
  return { markdown: `${lines.join("\n")}\n`, svg: learningCurves(experiment, runs) };
}

/** A result, and where its own report is. */
export interface ReportedResult {
  readonly result: ExperimentResult;
  /** Seen from the folder of the group's report. */
  readonly path: string;
}

/** Reports on the results of a group, which have one run each at least: one table, with the literature's figures beside ours. @returns Markdown */
export function reportOfGroup(results: readonly ReportedResult[]): string {
  const rows = results.flatMap(({ result, path }) => {
    const experiment = experimentById(result.id);
    const { seeds, successes, figures } = summarize(experiment, result.runs);
    return figureRows(experiment, figures).map(({ name, paper, mean, range }, k) => {
      const head = k === 0 ? `[\`${result.id}\`](${path}) | ${successes} of ${seeds}` : " | ";
      return `| ${head} | ${name} | ${paper} | ${mean} | ${range} |`;
    });
  });
  const lines = [
    "| experiment | reached the aim | figure | literature | mean | least to most |",
    "|---|---|---|---|---|---|",
    ...rows,
  ];
  return `${lines.join("\n")}\n`;
}

/** Seeds up to which curves have names. */
const NAMED = 7;
/** From this ratio of largest to smallest error on, the axis is logarithmic. */
const LOGARITHMIC_FROM = 20;

/** One line for each seed. */
function learningCurves({ title, error }: Experiment, runs: readonly SeedResult[]): string {
  const errors = runs.flatMap(({ curve }) => curve.map(([, value]) => value)).filter(Number.isFinite);
  const [least, most] = [Math.min(...errors), Math.max(...errors)];
  return lineChart(
    runs.map(({ seed, curve }) => ({
      ...(runs.length <= NAMED && { name: `seed ${seed}` }),
      points: curve.map(([done, value]) => [100 * done, value] as const),
    })),
    {
      title,
      x: { label: "% of the training", range: [0, 100] },
      y: { label: error, scale: least > 0 && most / least >= LOGARITHMIC_FROM ? "log" : "linear" },
    },
  );
}
