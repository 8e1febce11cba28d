/** A language model run on the disk: started or resumed, trained, measured. */

import { DataError, FileError, ToolkitError } from "../../core/index.js";
import { type TokenWindow, textStream, type Vocabulary, vocabularyFromJSON } from "../../data/index.js";
import { decodeSafetensors, encodeSafetensors } from "../../io/index.js";
import { adam, clipByNorm, truncatedBptt } from "../../learn/index.js";
import { foldIn, randomKey } from "../../ops/index.js";
import { selectKernels } from "../../runtime/index.js";
import {
  type Evaluation,
  generateTokens,
  type LanguageModel,
  type LanguageModelCarry,
  type LanguageModelParams,
  languageModel,
  textEvaluator,
  tokenReader,
} from "../../tasks/index.js";
import { sizeOf, tensorsByPath } from "../../tensor/index.js";
import {
  decodeState,
  encodeState,
  initialState,
  restoreTree,
  type TrainOptions,
  type TrainReport,
  type TrainState,
  train,
  updatePlans,
} from "../../train/index.js";
import {
  appendMetrics,
  createRun,
  hasCheckpoint,
  openRun,
  type Run,
  readCheckpoint,
  readConfig,
  readModel,
  saveCheckpoint,
  saveModel,
  truncateMetrics,
  writeConfig,
} from "../run-folder.js";
import {
  completeSettings,
  configOf,
  type LanguageModelConfig,
  type LanguageModelSettings,
  parseConfig,
  resumedConfig,
} from "./config.js";
import { type Corpus, type CorpusPart, readCorpus } from "./corpus.js";

/** A run that can be trained. */
export interface LanguageModelRun {
  readonly run: Run;
  readonly config: LanguageModelConfig;
  readonly corpus: Corpus;
  readonly model: LanguageModel;
  /** Where training goes on from. */
  readonly state: TrainState<LanguageModelParams>;
}

/** A finished model, without its text. */
export interface TrainedModel {
  readonly config: LanguageModelConfig;
  readonly vocabulary: Vocabulary;
  readonly model: LanguageModel;
  readonly params: LanguageModelParams;
}

/** The model that settings describe. */
export const modelOf = (config: LanguageModelSettings, vocabularySize: number): LanguageModel =>
  languageModel({
    vocabularySize,
    cell: config.cell,
    hiddenSize: config.hidden,
    numLayers: config.layers,
    embeddingSize: config.embedding,
    dropout: config.dropout,
  });

type Training = Pick<
  TrainOptions<LanguageModelParams, LanguageModelCarry, TokenWindow>,
  "problem" | "optimizer" | "method" | "batch" | "transforms" | "shards"
>;

function trainingOf(config: LanguageModelSettings, corpus: Corpus, model: LanguageModel): Training {
  const stream = textStream(corpus.training.tokens, { batchSize: config.batch, windowLength: config.window });
  return {
    problem: model.problem,
    optimizer: adam({ learningRate: config.learningRate }),
    method: truncatedBptt(),
    transforms: [clipByNorm(config.clip)],
    batch: (update) => stream.window(update),
    shards: config.shards,
  };
}

// Parameters and training draw from keys of their own, so that neither changes when the other draws more.
const [PARAMETERS, TRAINING, SAMPLES] = [0, 1, 2] as const;

const stateAtStart = (
  config: LanguageModelSettings,
  corpus: Corpus,
  model: LanguageModel,
): TrainState<LanguageModelParams> =>
  initialState({
    ...trainingOf(config, corpus, model),
    params: model.init(foldIn(randomKey(config.seed), PARAMETERS)),
    key: foldIn(randomKey(config.seed), TRAINING),
  });

/**
 * Starts a run in a new folder. The text is read and everything is checked before the folder is made.
 * @throws OptionError, DataError, FileError or DiskFullError; then no folder was made or it is empty
 */
export async function startRun(path: string, given: Partial<LanguageModelSettings>): Promise<LanguageModelRun> {
  selectKernels(); // an error in what the environment asks for comes before anything is made
  const settings = completeSettings(given);
  const corpus = await readCorpus(settings);
  const config = configOf(settings, corpus);
  const model = modelOf(config, corpus.vocabulary.size);
  const state = stateAtStart(config, corpus, model);
  const run = await createRun(path);
  await writeConfig(run, config);
  return { run, config, corpus, model, state };
}

/**
 * Opens a run to go on with it, from its last checkpoint, or from the start if it has none.
 * @param given what the user said this time: more `steps`; all else must agree with the run
 * @throws FileError if there is no run, it is damaged, differs from what was given, or its text has changed
 */
export async function resumeRun(path: string, given: Partial<LanguageModelSettings>): Promise<LanguageModelRun> {
  const run = await openRun(path);
  const before = parseConfig(await readConfig(run), path);
  if (before.imported !== undefined) {
    throw new FileError(
      `"${path}" was imported from "${before.imported}" and cannot be resumed: a model file holds no state of training; train a new run`,
    );
  }
  const config = resumedConfig(before, given, path);
  completeSettings(config);
  const corpus = await readCorpus(config);
  if (corpus.checksum !== config.checksum) {
    throw new FileError(
      `the text of the run in "${path}" has changed since it was started; restore ${config.files.join(", ")}, or start a new run`,
    );
  }
  const model = modelOf(config, corpus.vocabulary.size);
  const start = stateAtStart(config, corpus, model);
  const state = (await hasCheckpoint(run)) ? await readState(run, start) : start;
  if (state.progress.step > config.steps) {
    throw new FileError(
      `the run in "${path}" is at step ${state.progress.step} already; ask for more steps than that to go on`,
    );
  }
  await truncateMetrics(run, state.progress.step);
  if (config.steps !== before.steps || config.patience !== before.patience) await writeConfig(run, config);
  return { run, config, corpus, model, state };
}

async function readState(run: Run, start: TrainState<LanguageModelParams>): Promise<TrainState<LanguageModelParams>> {
  const folder = `${run.path}/checkpoint`;
  try {
    return decodeState(await readCheckpoint(run), start, `${folder}/state.safetensors`);
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause;
    throw new FileError(
      `${cause.message}. To go on from the checkpoint before it, put ${folder}/previous.safetensors in its place`,
      { cause },
    );
  }
}

/**
 * The validation part of a run's text, read again.
 * @throws DataError if the run kept none; FileError if its text cannot be read any more, or has changed
 */
export async function validationPart(config: LanguageModelConfig, path: string): Promise<CorpusPart> {
  const advice = "name a text file";
  let corpus: Corpus;
  try {
    corpus = await readCorpus(config);
  } catch (cause) {
    if (!(cause instanceof ToolkitError)) throw cause;
    throw new FileError(`the text of the run in "${path}" cannot be read: ${cause.message}; or ${advice}`, { cause });
  }
  if (corpus.checksum !== config.checksum) {
    throw new FileError(`the text of the run in "${path}" has changed since it was started; ${advice}`);
  }
  if (!corpus.validation) throw new DataError(`the run in "${path}" kept no text for validation; ${advice}`);
  return corpus.validation;
}

/** Reads the saved model of a run. @throws FileError if there is none, or it is damaged */
export async function openModel(path: string): Promise<TrainedModel> {
  const run = await openRun(path);
  const config = parseConfig(await readConfig(run), path);
  const vocabulary = vocabularyFromJSON(config.vocabulary);
  const model = modelOf(config, vocabulary.size);
  return { config, vocabulary, model, params: await readParams(run, model) };
}

async function readParams(run: Run, model: LanguageModel): Promise<LanguageModelParams> {
  const where = `${run.path}/model.safetensors`;
  const { tensors } = decodeSafetensors(await readModel(run), where);
  return restoreTree(tensors, model.init(randomKey(0)), where);
}

const writeParams = (run: Run, params: LanguageModelParams): Promise<void> =>
  saveModel(run, encodeSafetensors(new Map(tensorsByPath(params)), {}));

/** What is told while a run trains. */
export interface RunReport extends Omit<TrainReport<LanguageModelParams>, "state"> {
  /** A piece of text that the model wrote, now and then. */
  readonly sample?: string;
}

/** How training is watched. */
export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Threads that train; does not change what is learnt. @default 1 */
  readonly threads?: number;
  /** Tokens of the samples; 0 for none. @default 0 */
  readonly sampleLength?: number;
}

/** Measurements on the validation part during a run, and how many tokens each of them looks at. */
const MEASUREMENTS = 10;
const MEASURED_TOKENS = 10_000;

/**
 * Trains a run to its end, or until it is stopped. The run's model is the one with the best validation loss, or the newest if there
 * is no validation part; everything is saved as it comes.
 * @throws NonFiniteError, DiskFullError or FileError; what was saved before stays
 */
export async function* trainRun(
  languageModelRun: LanguageModelRun,
  options: RunOptions = {},
): AsyncGenerator<RunReport, void> {
  const { run, config, corpus, model, state } = languageModelRun;
  const { signal, threads = 1, sampleLength = 0 } = options;
  const evaluate =
    corpus.validation && textEvaluator(model, corpus.validation.tokens, evaluationSizes(config, MEASURED_TOKENS));
  const write = sampleWriter(model, corpus, config.seed);
  const every = Math.max(1, Math.ceil(config.steps / MEASUREMENTS));
  const reports = train<LanguageModelParams, LanguageModelCarry, TokenWindow>({
    ...trainingOf(config, corpus, model),
    state,
    steps: config.steps,
    threads,
    ...(evaluate && {
      validation: {
        every,
        measure: (params) => evaluate(params).loss,
        ...(config.patience !== undefined && { patience: config.patience }),
      },
    }),
    checkpoints: {
      save: async (current) => {
        if (!evaluate) await writeParams(run, current.params);
        await saveCheckpoint(run, encodeState(current));
      },
    },
    ...(signal && { signal }),
  });
  for await (const { state: current, stopped, ...measured } of reports) {
    if (measured.isBest) await writeParams(run, current.params);
    await appendMetrics(run, { ...measured });
    const isTime = measured.step % every === 0 || measured.step === config.steps;
    yield {
      ...measured,
      ...(stopped && { stopped }),
      ...(isTime && sampleLength > 0 && { sample: write(current.params, sampleLength) }),
    };
  }
}

/** The Plans of one update of a run, and how many times each has memory of its own. */
export const plansOfRun = ({ config, corpus, model, state }: LanguageModelRun): ReturnType<typeof updatePlans> =>
  updatePlans({ ...trainingOf(config, corpus, model), state, steps: config.steps });

const evaluationSizes = (config: LanguageModelSettings, maxTokens?: number) => ({
  batchSize: config.batch,
  windowLength: config.window,
  ...(maxTokens !== undefined && { maxTokens }),
});

/** Tokens of the training text that a sample goes on from. */
const SAMPLE_PROMPT = 32;

/** Writes samples that always go on from the middle of the training text. */
function sampleWriter(model: LanguageModel, { vocabulary, training }: Corpus, seed: number) {
  const start = tokenReader(model);
  const exclude = vocabulary.unknown === undefined ? [] : [vocabulary.unknown];
  const middle = Math.floor(training.tokens.length / 2);
  const prompt = training.tokens.slice(middle, middle + SAMPLE_PROMPT);
  return (params: LanguageModelParams, length: number): string => {
    const tokens = generateTokens(start(params), prompt, foldIn(randomKey(seed), SAMPLES), {
      temperature: 0.7,
      exclude,
    });
    return vocabulary.decode(Array.from({ length }, () => tokens.next().value));
  };
}

/** Measures the run's saved model on its whole validation part. Undefined if there is none. */
export async function validateRun({ run, config, corpus, model }: LanguageModelRun): Promise<Evaluation | undefined> {
  if (corpus.validation === undefined) return undefined;
  return textEvaluator(model, corpus.validation.tokens, evaluationSizes(config))(await readParams(run, model));
}

/** Number of trained numbers. */
export const parameterCount = (params: LanguageModelParams): number =>
  tensorsByPath(params).reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);

/** The kernels that a run uses here. */
export const kernelName = (): string => selectKernels().name;
