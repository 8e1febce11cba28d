/** The configuration of a language model run: what config.json holds. */

import { FileError, nearestName, OptionError, requireInteger, requireNumber } from "../../core/index.js";
import { type Unit, type VocabularyJSON, vocabularyFromJSON } from "../../data/index.js";
import { cellByName } from "../../nn/index.js";
import type { Corpus } from "./corpus.js";

/** What a user decides about a run. */
export interface LanguageModelSettings {
  readonly files: readonly string[];
  readonly unit: Unit;
  readonly cell: string;
  readonly hidden: number;
  readonly layers: number;
  readonly embedding: number;
  readonly steps: number;
  readonly batch: number;
  readonly window: number;
  readonly learningRate: number;
  /** Largest norm of the gradient. */
  readonly clip: number;
  readonly dropout: number;
  /** Part at the end of the text that is kept for validation. */
  readonly validation: number;
  readonly seed: number;
  /** Parts of every batch whose gradients are computed side by side. */
  readonly shards: number;
  /** Most words of a vocabulary of words. */
  readonly vocabularySize?: number;
  /** Measurements on the validation part without a new best after which training ends. */
  readonly patience?: number;
}

/** Values of everything that is not said. The embedding follows the hidden size, the shards the batch, see `completeSettings`. */
export const DEFAULT_SETTINGS = {
  unit: "character",
  cell: "lstm",
  hidden: 128,
  layers: 1,
  steps: 1000,
  batch: 32,
  window: 64,
  learningRate: 0.002,
  clip: 1,
  dropout: 0,
  validation: 0.1,
  seed: 1,
} as const;

/** Fills in what was not said, and checks what was. @throws OptionError */
export function completeSettings(given: Partial<LanguageModelSettings>): LanguageModelSettings {
  const settings = {
    files: [],
    embedding: Math.min(64, given.hidden ?? DEFAULT_SETTINGS.hidden),
    shards: shardsOf(given.batch ?? DEFAULT_SETTINGS.batch),
    ...DEFAULT_SETTINGS,
    ...given,
  };
  const where = "train";
  if (!UNITS.includes(settings.unit)) {
    throw new OptionError(
      `there is no unit "${settings.unit}"; did you mean ${nearestName(settings.unit, UNITS)}? The units are ${UNITS.join(", ")}`,
    );
  }
  for (const name of ["hidden", "layers", "embedding", "steps", "batch", "window", "shards"] as const) {
    requireInteger(where, name, settings[name], 1);
  }
  if (settings.batch % settings.shards !== 0) {
    throw new OptionError(
      `a batch of ${settings.batch} cannot be cut into ${settings.shards} equal shards; choose a batch that is a multiple of shards`,
    );
  }
  cellByName(settings.cell, { inputSize: 1, hiddenSize: 1 });
  requireNumber(where, "learningRate", settings.learningRate, { above: 0 });
  requireNumber(where, "clip", settings.clip, { above: 0 });
  requireNumber(where, "dropout", settings.dropout, { from: 0, below: 1 });
  requireNumber(where, "validation", settings.validation, { from: 0, to: 0.5 });
  requireInteger(where, "seed", settings.seed, 0);
  if (settings.vocabularySize !== undefined && settings.unit !== "word") {
    throw new OptionError("vocabularySize has no effect unless the unit is word; remove it, or choose the unit word");
  }
  if (settings.patience !== undefined) {
    requireInteger(where, "patience", settings.patience, 1);
    if (settings.validation === 0)
      throw new OptionError("patience has no effect without a validation part; set validation above 0");
  }
  return settings;
}

/** Fewest rows of a shard, and most shards, that are chosen without being asked for: fewer rows make products slower. */
const [SHARD_ROWS, MOST_SHARDS] = [16, 8];

/** Shards for a batch. They do not depend on the machine, so that the same settings give the same numbers everywhere. */
function shardsOf(batch: number): number {
  let shards = 1;
  while (shards < MOST_SHARDS && batch % (2 * shards) === 0 && batch / (2 * shards) >= SHARD_ROWS) shards *= 2;
  return shards;
}

const UNITS: readonly Unit[] = ["character", "byte", "word"];

/** config.json: the settings, and what is needed to use the model without the text. */
export interface LanguageModelConfig extends LanguageModelSettings {
  readonly format: typeof FORMAT;
  readonly task: "language-model";
  readonly checksum: string;
  readonly unigramEntropy: number;
  readonly vocabulary: VocabularyJSON;
  /** The file that the run was imported from: there is a model, and nothing to resume. Missing in runs that were trained here. */
  readonly imported?: string;
}

/** Changes when the meaning of a run's files changes. */
const FORMAT = 1;

/** The configuration of a new run. */
export const configOf = (settings: LanguageModelSettings, corpus: Corpus): LanguageModelConfig => ({
  format: FORMAT,
  task: "language-model",
  ...settings,
  checksum: corpus.checksum,
  unigramEntropy: corpus.unigramEntropy,
  vocabulary: corpus.vocabulary.toJSON(),
});

/** Checks what was read from config.json. @throws FileError if it is of another kind or damaged */
export function parseConfig(value: unknown, where: string): LanguageModelConfig {
  const config = value as LanguageModelConfig;
  if (typeof value !== "object" || value === null || config.task !== "language-model" || config.format !== FORMAT) {
    throw new FileError(`"${where}" is no language model run of this version (task language-model, format ${FORMAT})`);
  }
  try {
    requireComplete(config);
    completeSettings(config);
    vocabularyFromJSON(config.vocabulary);
  } catch (cause) {
    throw new FileError(`the config.json of "${where}" is damaged: ${(cause as Error).message}`, { cause });
  }
  return config;
}

/** What is written is complete: no default stands in for something that got lost. */
function requireComplete(config: LanguageModelConfig): void {
  const { files, checksum, unigramEntropy } = config;
  const missing = ["embedding", "shards", ...Object.keys(DEFAULT_SETTINGS)].find(
    (name) => !Object.hasOwn(config, name),
  );
  if (missing !== undefined) throw new OptionError(`it has no ${missing}`);
  if (!Array.isArray(files) || files.length === 0 || !files.every((file) => typeof file === "string")) {
    throw new OptionError("files must be a list of paths");
  }
  if (typeof checksum !== "string") throw new OptionError("checksum must be a text");
  requireNumber("train", "unigramEntropy", unigramEntropy, { from: 0 });
}

/** Settings that may be given again when a run is resumed, and change it. */
const MAY_CHANGE = ["steps", "patience"] as const;

/**
 * The configuration to go on with: that of the run, with more steps if they are asked for.
 * @param given what the user said this time; whatever defines the run must agree with it
 * @throws FileError naming the first setting that differs
 */
export function resumedConfig(
  config: LanguageModelConfig,
  given: Partial<LanguageModelSettings>,
  where: string,
): LanguageModelConfig {
  for (const [name, value] of Object.entries(given)) {
    const before = config[name as keyof LanguageModelSettings];
    if ((MAY_CHANGE as readonly string[]).includes(name) || JSON.stringify(before) === JSON.stringify(value)) continue;
    throw new FileError(
      `the run in "${where}" has ${name} ${before}, not ${value}; leave ${name} out to resume it, or start a new run in another folder`,
    );
  }
  const changed = Object.fromEntries(
    Object.entries(given).filter(([name]) => (MAY_CHANGE as readonly string[]).includes(name)),
  );
  return { ...config, ...changed };
}
