/** An experiment with one seed, and what several seeds say together. */

import {
  NonFiniteError,
  nearestName,
  OptionError,
  requireInteger,
  requireKnownKeys,
  requireNumber,
} from "../core/index.js";
import { type Experiment, type Figures, isSuccess, type Progress, type RunSettings } from "./experiment.js";

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number;
  readonly success: boolean;
  /** All NaN if the run failed. */
  readonly figures: Figures;
  /** Why learning could not go on, if a loss or gradient was not finite. */
  readonly failure?: string;
  /** Points of the learning curve: part done, error. */
  readonly curve: readonly (readonly [done: number, error: number])[];
  readonly seconds: number;
}

/** One experiment with one set of options, and all its seeds. */
export interface ExperimentResult {
  readonly id: string;
  readonly cell: string;
  readonly method?: string;
  readonly effort: number;
  readonly runs: readonly SeedResult[];
}

/** What may be chosen about a run. */
export interface ExperimentOptions {
  /** One of the experiment's cells. @default the first */
  readonly cell?: string;
  /** One of the experiment's methods. @default the first, if it has any */
  readonly method?: string;
  /** Part of the training that is done, in (0, 1]. @default 1 */
  readonly effort?: number;
}

/**
 * Completes options.
 * @throws OptionError if one is unknown or out of range, or the experiment cannot be run with that cell or method
 */
export function experimentSettings(
  { id, cells, methods }: Experiment,
  options: ExperimentOptions = {},
): Omit<RunSettings, "seed"> {
  requireKnownKeys("experiment", options, ["cell", "method", "effort"]);
  const { cell = cells[0], method = methods?.[0], effort = 1 } = options;
  requireNumber("experiment", "effort", effort, { above: 0, to: 1 });
  requireOneOf(id, "cell", cell, cells);
  if (method === undefined) return { cell, effort };
  if (methods === undefined) throw new OptionError(`experiment: ${id} has no choice of methods; leave method out`);
  requireOneOf(id, "method", method, methods);
  return { cell, method, effort };
}

function requireOneOf(id: string, name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new OptionError(
    `experiment: ${id} cannot be run with the ${name} "${value}"; did you mean ${nearestName(value, choices)}? The choices are ${choices.join(", ")}`,
  );
}

/** A curve has a point for each of this many equal parts of a run, if there was progress in it. */
const PARTS = 100;
/** What k / n · n may lack of k. */
const ROUNDING = 1e-9;
/** Longest time in milliseconds without letting the page, or a signal, have its turn. */
const LONGEST_TURN = 30;

/**
 * Runs an experiment with one seed. A run whose learning diverges is a result, too: a failure.
 * @param watch who is told about the progress, and what may stop the run
 * @returns `undefined` if the signal stopped it
 * @throws OptionError as `experimentSettings`, or if the seed is no whole number
 */
export async function runSeed(
  experiment: Experiment,
  seed: number,
  options: ExperimentOptions = {},
  watch: { readonly onProgress?: (progress: Progress) => void; readonly signal?: AbortSignal } = {},
): Promise<SeedResult | undefined> {
  requireInteger("experiment", "seed", seed, 0);
  const settings = experimentSettings(experiment, options);
  const started = performance.now();
  let turnStarted = started;
  let lastPart = -1;
  const curve: [number, number][] = [];
  const run = experiment.run({ seed, ...settings });
  const resultOf = (figures: Figures, failure?: string): SeedResult => ({
    seed,
    success: isSuccess(experiment, figures),
    figures,
    ...(failure !== undefined && { failure }),
    curve,
    seconds: (performance.now() - started) / 1000,
  });
  for (;;) {
    const { done, value } = await run.next().catch((error: unknown) => {
      if (error instanceof NonFiniteError) return { done: true, value: error } as const;
      throw error;
    });
    if (done) return value instanceof NonFiniteError ? resultOf(noFigures(experiment), value.message) : resultOf(value);
    const part = Math.floor(value.done * PARTS + ROUNDING);
    if (part > lastPart) curve.push([value.done, value.error]);
    lastPart = part;
    watch.onProgress?.(value);
    if (performance.now() - turnStarted > LONGEST_TURN) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turnStarted = performance.now();
    }
    if (!watch.signal?.aborted) continue;
    await run.return({});
    return undefined;
  }
}

const noFigures = ({ figures }: Experiment): Figures =>
  Object.fromEntries(Object.keys(figures).map((name) => [name, Number.NaN]));

/** A figure over the seeds that have it; NaN where none has. */
export interface FigureSummary {
  readonly mean: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** What the seeds say together, with the literature's values beside it. */
export interface ExperimentSummary {
  readonly seeds: number;
  readonly successes: number;
  readonly figures: Readonly<Record<string, FigureSummary>>;
  readonly paper: Figures;
  /** Of all runs together. */
  readonly seconds: number;
}

/** Sums up an experiment's runs, of which there must be one at least. */
export function summarize({ figures }: Experiment, runs: readonly SeedResult[]): ExperimentSummary {
  const names = Object.keys(figures);
  const paper = Object.entries(figures).flatMap(([name, figure]) =>
    figure.paper === undefined ? [] : [[name, figure.paper] as const],
  );
  return {
    seeds: runs.length,
    successes: runs.filter(({ success }) => success).length,
    figures: Object.fromEntries(
      names.map((name) => {
        const counted = figures[name]?.ofSuccesses ? runs.filter(({ success }) => success) : runs;
        return [name, summaryOf(counted.map((run) => run.figures[name] as number))];
      }),
    ),
    paper: Object.fromEntries(paper),
    seconds: runs.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

function summaryOf(values: readonly number[]): FigureSummary {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const at = (position: number) => sorted[position] ?? Number.NaN;
  return {
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    median: (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  };
}
