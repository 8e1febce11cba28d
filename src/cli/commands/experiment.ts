/** `through-time experiment`: the literature's experiments, repeated. */

import { basename, join, posix } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { FileError } from "../../core/index.js";
import {
  EXPERIMENTS,
  type Experiment,
  type ExperimentOptions,
  type ExperimentResult,
  type ExperimentSummary,
  experimentById,
  experimentSettings,
  experimentsByName,
  figureRows,
  formatFigure,
  formatSource,
  type Progress,
  type ReportedResult,
  reportOf,
  reportOfGroup,
  type SeedResult,
  summarize,
} from "../../experiments/index.js";
import {
  findExperimentResult,
  foldersOfResults,
  runSeeds,
  saveExperimentResult,
  writeFileAtomically,
} from "../../node/index.js";
import { EXIT } from "../errors.js";
import { formatDuration, shellWord, wrapText } from "../format.js";
import { numberIn, wholeNumber } from "../option-values.js";
import { statusLine } from "../progress.js";

const EXAMPLES = `
Examples:
  $ through-time experiment list
  $ through-time experiment run elman-1990/xor --seeds 10
  $ through-time experiment run adding/200 --cell lstm --out runs/adding-lstm
  $ through-time experiment report runs/adding-lstm
  $ through-time experiment run lstm-1997 --seeds 10 --threads 2 --out runs/lstm-1997
  $ through-time experiment report runs/lstm-1997
`;

const DEFAULT_SEEDS = 3;

/** The command, ready to be added. */
export const experimentCommand = () =>
  new Command("experiment")
    .description("repeat experiments of the literature")
    .addCommand(listCommand())
    .addCommand(runCommand())
    .addCommand(reportCommand())
    .addHelpText("after", EXAMPLES);

const listCommand = () =>
  new Command("list")
    .description("show all experiments")
    .option("--json", "print one line of JSON")
    .action(({ json }) => {
      if (json === true) {
        const listed = EXPERIMENTS.map(({ id, title, source, cells, methods, figures }) => ({
          id,
          title,
          source,
          cells,
          methods,
          figures,
        }));
        process.stdout.write(`${JSON.stringify(listed)}\n`);
        return;
      }
      const width = Math.max(...EXPERIMENTS.map(({ id }) => id.length));
      const lines = EXPERIMENTS.map(
        ({ id, title, source }) => `${id.padEnd(width)}  ${title} (${source.authors} ${source.year})`,
      );
      process.stdout.write(`${lines.join("\n")}\n`);
    });

const runCommand = () =>
  new Command("run")
    .description("run an experiment, or a group of them, with several seeds, and compare with the literature")
    .argument("<id>", "name of an experiment, as the list shows it, or of a group, as lstm-1997")
    .option("--seeds <n>", "run the seeds 1 to n", wholeNumber("seeds", 1), DEFAULT_SEEDS)
    .option("--cell <name>", "recurrent cell (default: that of the literature)")
    .option("--method <name>", "way to learn, where there is a choice (default: that of the literature)")
    .option(
      "--effort <x>",
      "part of the training that is done, above 0 to 1 (default: 1)",
      numberIn("effort", { above: 0, to: 1 }),
    )
    .option("--threads <n>", "seeds to run at a time, each on a thread", wholeNumber("threads", 1), 1)
    .option(
      "--out <dir>",
      "folder for result.json, or for one folder an experiment; seeds that are there already are kept",
    )
    .option("--json", "end with one line of JSON on standard output")
    .action(async (name, { seeds, threads, out, json, ...options }) => {
      const wanted = Array.from({ length: seeds }, (_, index) => index + 1);
      const planned: Planned[] = [];
      for (const experiment of experimentsByName(name)) {
        // Of a group, `lstm-1997/4/linear` has the folder `4-linear`.
        const inGroup = experiment.id.slice(name.length + 1).replaceAll("/", "-");
        const folder = out === undefined ? undefined : join(out, inGroup);
        planned.push({ experiment, folder, before: await resultSoFar(experiment, options, folder) });
      }
      for (const one of planned) {
        if (planned.length > 1) process.stderr.write(`${one.experiment.id}\n`);
        const complete = await runMissing(one, wanted, threads, out);
        if (complete === undefined) {
          process.exitCode = EXIT.interrupted;
          return;
        }
        show(one.experiment, complete, json === true);
      }
    });

/** An experiment that is going to be run. */
interface Planned {
  readonly experiment: Experiment;
  readonly folder: string | undefined;
  readonly before: ExperimentResult;
}

const reportCommand = () =>
  new Command("report")
    .description("write report.md and curves.svg beside the result of an experiment, or of each of a group")
    .argument("<dir>", "folder with a result.json, or with folders that have one")
    .action(async (folder) => {
      const folders = await foldersOfResults(folder);
      if (folders.length === 0) {
        throw new FileError(`there is no result in "${folder}"; make one with experiment run ... --out ${folder}`);
      }
      const reported: ReportedResult[] = [];
      for (const path of folders) {
        const result = await reportOn(path);
        reported.push({ result, path: posix.join(basename(path), REPORT) });
      }
      if (folders[0] !== folder) await writeFileAtomically(join(folder, REPORT), reportOfGroup(reported));
      process.stdout.write(`${join(folder, REPORT)}\n`);
    });

const REPORT = "report.md";

/** Writes the report on one result beside it. */
async function reportOn(folder: string): Promise<ExperimentResult> {
  const result = (await findExperimentResult(folder)) as ExperimentResult;
  const { markdown, svg } = reportOf(experimentById(result.id), result, "curves.svg");
  await writeFileAtomically(join(folder, "curves.svg"), svg);
  await writeFileAtomically(join(folder, REPORT), markdown);
  return result;
}

/** What is in the folder already, if it is of the same kind. */
async function resultSoFar(
  experiment: Experiment,
  options: ExperimentOptions,
  out: string | undefined,
): Promise<ExperimentResult> {
  const fresh = { id: experiment.id, ...experimentSettings(experiment, options), runs: [] };
  const found = out === undefined ? undefined : await findExperimentResult(out);
  if (found === undefined) return fresh;
  for (const name of ["id", "cell", "method", "effort"] as const) {
    if (found[name] === fresh[name]) continue;
    throw new FileError(
      `the result in "${out}" has ${name} ${found[name]}, not ${fresh[name]}; choose another folder for --out`,
    );
  }
  return found;
}

/** Runs the seeds that have no result yet. @param out as it was typed @returns `undefined` if Ctrl-C stopped it */
async function runMissing(
  { experiment, folder, before }: Planned,
  wanted: readonly number[],
  threads: number,
  out: string | undefined,
): Promise<ExperimentResult | undefined> {
  const { cell, method, effort } = before;
  const status = statusLine();
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  const runs = new Map(before.runs.map((run) => [run.seed, run]));
  const missing = wanted.filter((seed) => !runs.has(seed));
  if (missing.length < wanted.length) status.say(`${wanted.length - missing.length} of the seeds are done already`);
  const result = (): ExperimentResult => ({ ...before, runs: [...runs.values()].sort((a, b) => a.seed - b.seed) });
  const progress = new Map<number, Progress>();
  try {
    await runSeeds(experiment, missing, { cell, ...(method !== undefined && { method }), effort }, threads, {
      signal: abort.signal,
      onProgress: (seed, newest) => {
        progress.set(seed, newest);
        status.show(() => describe(progress), false);
      },
      onResult: async (run) => {
        progress.delete(run.seed);
        runs.set(run.seed, run);
        status.say(describeRun(run));
        if (folder !== undefined) await saveExperimentResult(folder, result());
      },
    });
  } finally {
    status.end();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
  const asked = result().runs.filter(({ seed }) => wanted.includes(seed));
  if (asked.length === wanted.length) return { ...before, runs: asked };
  const saved = out === undefined ? "" : `; to go on, give the same command again, with --out ${shellWord(out)}`;
  status.say(`stopped after ${runs.size} ${runs.size === 1 ? "seed" : "seeds"}${saved}`);
  return undefined;
}

const describe = (running: ReadonlyMap<number, Progress>): string =>
  [...running]
    .map(([seed, { done, error }]) => `seed ${seed}: ${Math.floor(100 * done)} %, error ${formatFigure(error)}`)
    .join("   ");

const describeRun = ({ seed, success, failure, seconds }: SeedResult): string =>
  `seed ${seed}: ${success ? "reached the aim" : "missed the aim"} after ${formatDuration(seconds)}${failure === undefined ? "" : `: ${failure}`}`;

/** Figures of the experiments that count presentations, under the names that tables of them use. */
const presentationFields = ({ presentations, wrong }: ExperimentSummary["figures"]): object => ({
  ...(presentations && { meanPresentations: presentations.mean, medianPresentations: presentations.median }),
  ...(wrong && { wrongOf2560: wrong.mean }),
});

/** Ours beside the literature's. */
function show(experiment: Experiment, { runs, ...settings }: ExperimentResult, json: boolean): void {
  const { cell, method, effort } = settings;
  const summary = summarize(experiment, runs);
  const { seeds, successes, figures, seconds } = summary;
  if (json) {
    const own = runs.map(({ curve: _, ...run }) => run);
    process.stdout.write(`${JSON.stringify({ ...settings, ...summary, ...presentationFields(figures), runs: own })}\n`);
    return;
  }
  const header = { name: "", mean: "mean", median: "median", range: "least to most", aim: "aim", paper: "literature" };
  const rows = [header, ...figureRows(experiment, figures)];
  const columns = ["mean", "median", "range", "aim", "paper"] as const;
  const widths = columns.map((column) => Math.max(...rows.map((row) => row[column].length)));
  // Names have lines of their own: beside the figures, they would not fit into 80 columns.
  const lines = rows.flatMap((row) => [
    ...(row.name === "" ? [] : wrapText(row.name)),
    `  ${columns.map((column, k) => row[column].padEnd(widths[k] as number)).join("  ")}`,
  ]);
  const heading = [
    `${experiment.title}: ${successes} of ${seeds} ${seeds === 1 ? "seed" : "seeds"} reached the aim, in ${formatDuration(seconds)}`,
    `${formatSource(experiment.source)}; cell ${cell}${method === undefined ? "" : `, method ${method}`}${effort === 1 ? "" : `, ${formatFigure(effort)} of the training`}`,
  ];
  process.stdout.write(`${[...heading.flatMap(wrapText), ...lines].map((line) => line.trimEnd()).join("\n")}\n`);
}
