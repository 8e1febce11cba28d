/** `through-time train`: start a run, or go on with one. */

import { availableParallelism } from "node:os";
import { Command } from "@commander-js/extra-typings";
import type { Instruction, Plan } from "../../compile/index.js";
import { OptionError } from "../../core/index.js";
import { CELL_NAMES } from "../../nn/index.js";
import {
  bitsPerCharacter,
  DEFAULT_SETTINGS,
  kernelName,
  type LanguageModelRun,
  type LanguageModelSettings,
  nextRunPath,
  parameterCount,
  plansOfRun,
  resumeRun,
  startRun,
  trainRun,
  validateRun,
} from "../../node/index.js";
import { selectKernels, whyNoThreads } from "../../runtime/index.js";
import { EXIT } from "../errors.js";
import { formatCount, formatDuration, shellWord } from "../format.js";
import { cellName, numberIn, oneOf, wholeNumber } from "../option-values.js";
import { type ProgressDisplay, progressDisplay } from "../progress.js";

const EXAMPLES = `
Examples:
  $ through-time train book.txt
  $ through-time train book.txt --cell gru --hidden 256 --steps 5000 --out runs/book
  $ through-time train --resume --out runs/book --steps 10000
  $ through-time train *.txt --unit word --dropout 0.3 --patience 3
`;

/** Length of the samples that are shown while a run trains. */
const SAMPLE_LENGTH = 160;

/** The command, ready to be added. */
export const trainCommand = () =>
  new Command("train")
    .description("train a model on files, and save it as a run")
    .argument("[files...]", "text files, read in order as one text")
    .option("--task <name>", "what to learn: language-model", oneOf(["language-model"]), "language-model")
    .option(
      "--unit <name>",
      "what the model reads: character, byte or word (default: character)",
      oneOf(["character", "byte", "word"]),
    )
    .option("--cell <name>", `recurrent cell: ${CELL_NAMES.join(", ")} (default: lstm)`, cellName)
    .option("--hidden <n>", "units in each layer (default: 128)", wholeNumber("hidden", 1))
    .option("--layers <n>", "recurrent layers (default: 1)", wholeNumber("layers", 1))
    .option(
      "--embedding <n>",
      "numbers that stand for a token (default: 64, or --hidden if less)",
      wholeNumber("embedding", 1),
    )
    .option("--steps <n>", `updates in all (default: ${DEFAULT_SETTINGS.steps})`, wholeNumber("steps", 1))
    .option("--batch <n>", "streams of text side by side (default: 32)", wholeNumber("batch", 1))
    .option("--window <n>", "tokens that an update looks back (default: 64)", wholeNumber("window", 1))
    .option("--learning-rate <x>", "step size of Adam (default: 0.002)", numberIn("learning-rate", { above: 0 }))
    .option("--clip <x>", "largest norm of the gradient (default: 1)", numberIn("clip", { above: 0 }))
    .option(
      "--dropout <x>",
      "part of the non-recurrent connections to drop, 0 to below 1 (default: 0)",
      numberIn("dropout", { from: 0, below: 1 }),
    )
    .option(
      "--validation <x>",
      "part of the text to validate on, 0 to 0.5 (default: 0.1)",
      numberIn("validation", { from: 0, to: 0.5 }),
    )
    .option("--patience <n>", "stop after n measurements without a better validation loss", wholeNumber("patience", 1))
    .option(
      "--vocabulary-size <n>",
      "most words to know, with --unit word (default: 10000)",
      wholeNumber("vocabulary-size", 2),
    )
    .option("--seed <n>", "seed of all randomness (default: 1)", wholeNumber("seed", 0))
    .option("--out <dir>", "folder of the run (default: runs/language-model-1, -2, ...)")
    .option("--resume", "go on with the run in --out")
    .option(
      "--shards <n>",
      "parts of a batch that are computed side by side; part of the result (default: batch / 16, at most 8)",
      wholeNumber("shards", 1),
    )
    .option(
      "--threads <n>",
      "threads to train on (default: one a shard, at most one a core)",
      wholeNumber("threads", 1),
    )
    .option("--verbose", "show what an update computes and the memory it takes")
    .option("--json", "end with one line of JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action(async (files, { task: _, out, resume, verbose, json, threads, ...given }) => {
      const run = resume === true ? await resumed(out, files, given) : await started(out, files, given);
      const most = threads ?? availableParallelism();
      if (verbose === true) {
        describePlan(run);
        await describeThreads(run, most);
      }
      await trainAndReport(run, json === true, most);
    });

type Given = Partial<Omit<LanguageModelSettings, "files">>;

async function started(out: string | undefined, files: readonly string[], given: Given): Promise<LanguageModelRun> {
  if (files.length === 0)
    throw new OptionError("train: name at least one text file, as in: through-time train book.txt");
  return startRun(out ?? (await nextRunPath("runs/language-model")), { ...given, files });
}

async function resumed(out: string | undefined, files: readonly string[], given: Given): Promise<LanguageModelRun> {
  if (out === undefined) throw new OptionError("train: --resume needs --out with the folder of the run");
  return resumeRun(out, files.length > 0 ? { ...given, files } : given);
}

async function trainAndReport(run: LanguageModelRun, json: boolean, threads: number): Promise<void> {
  const abort = new AbortController();
  const display = progressDisplay(run);
  introduce(run, display);
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(EXIT.interrupted);
    abort.abort();
    display.say("stopping after this step; Ctrl-C again to stop at once");
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);

  let step = run.state.progress.step;
  let trainLoss = run.state.progress.averageLoss;
  let stopped: "early" | "aborted" | undefined;
  try {
    for await (const report of trainRun(run, { signal: abort.signal, threads, sampleLength: SAMPLE_LENGTH })) {
      display.show(report);
      step = report.step;
      trainLoss = report.averageLoss;
      stopped = report.stopped;
    }
  } finally {
    display.end();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
  const place = shellWord(run.run.path);
  if (stopped === "aborted") {
    display.say(
      `stopped at step ${step} of ${run.config.steps}, saved in ${run.run.path}; to go on:\n  npx through-time train --resume --out ${place}`,
    );
    process.exitCode = EXIT.interrupted;
    return;
  }
  await summarize(run, display, { step, trainLoss: trainLoss as number, early: stopped === "early", json });
}

function introduce({ config, corpus, state }: LanguageModelRun, { say }: ProgressDisplay): void {
  const { training, validation, vocabulary } = corpus;
  const layers = `${config.layers} ${config.layers === 1 ? "layer" : "layers"} of ${config.hidden} units`;
  say(
    `${formatCount(training.characters)} characters to learn, ${formatCount(validation?.characters ?? 0)} to validate; ` +
      `${formatCount(vocabulary.size - (vocabulary.unknown === undefined ? 0 : 1))} different ${config.unit}s`,
  );
  say(`${config.cell}, ${layers}: ${formatCount(parameterCount(state.params))} parameters; kernels: ${kernelName()}`);
  say(`guessing by frequency alone costs ${config.unigramEntropy.toFixed(3)} nats per ${config.unit}`);
  if (state.progress.step > 0) say(`resuming after step ${state.progress.step}`);
}

/** Instructions, loops included, and memory of one update. */
function describePlan(run: LanguageModelRun): void {
  const started = performance.now();
  const plans = plansOfRun(run);
  const milliseconds = performance.now() - started;
  const count = (list: readonly Instruction[]): number =>
    list.reduce((sum, instruction) => sum + 1 + (instruction.kind === "loop" ? count(instruction.body) : 0), 0);
  const total = (value: (plan: Plan) => number): number =>
    plans.reduce((sum, { plan, copies }) => sum + copies * value(plan), 0);
  const loops = total(({ instructions }) => instructions.filter(({ kind }) => kind === "loop").length);
  const { shards } = run.config;
  process.stderr.write(
    `an update: ${formatCount(total(({ instructions }) => count(instructions)))} instructions, ${loops} loops over time${shards > 1 ? ` in ${shards} shards` : ""}, ` +
      `${formatCount(total(({ arenaBytes }) => arenaBytes) / 1024)} KiB of memory; compiled in ${Math.round(milliseconds)} ms\n`,
  );
}

/** Why shards run one after the other, if they do though there could be more threads. */
async function describeThreads({ config }: LanguageModelRun, threads: number): Promise<void> {
  if (threads === 1 || config.shards === 1) return;
  const reason = await whyNoThreads(selectKernels());
  if (reason !== undefined) process.stderr.write(`shards run one after the other: ${reason}\n`);
}

interface Outcome {
  readonly step: number;
  readonly trainLoss: number;
  readonly early: boolean;
  readonly json: boolean;
}

async function summarize(run: LanguageModelRun, { say, speed }: ProgressDisplay, outcome: Outcome): Promise<void> {
  const { config, corpus, state } = run;
  const { step, trainLoss, early, json } = outcome;
  const { tokensPerSecond, seconds } = speed();
  const validationLoss = (await validateRun(run))?.loss ?? null;
  const bits = bitsPerCharacter(validationLoss ?? trainLoss, corpus.validation ?? corpus.training);
  say(
    `${early ? `stopped early, without a better model for ${config.patience} measurements, at` : "finished"} step ${step} after ${formatDuration(seconds)}`,
  );
  say(`  training loss    ${trainLoss.toFixed(3)} nats per ${config.unit}`);
  if (validationLoss !== null) {
    say(
      `  validation loss  ${validationLoss.toFixed(3)} nats per ${config.unit}, against ${config.unigramEntropy.toFixed(3)} by frequency alone`,
    );
  }
  say(`  ${bits.toFixed(3)} bits per character`);
  say(`saved in ${run.run.path}; next:\n  npx through-time generate ${shellWord(run.run.path)}`);
  if (!json) return;
  const result = {
    run: run.run.path,
    steps: step,
    parameters: parameterCount(state.params),
    trainLoss,
    validationLoss,
    bitsPerCharacter: bits,
    tokensPerSecond,
    seconds,
    kernels: kernelName(),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
