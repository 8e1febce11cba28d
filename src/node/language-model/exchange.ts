/** Runs as single files of other programs, and back. */

import { basename } from "node:path";
import { FileError, ToolkitError } from "../../core/index.js";
import { vocabularyFromJSON } from "../../data/index.js";
import {
  decodePyTorch,
  decodeSafetensors,
  encodePyTorch,
  encodeSafetensors,
  readExportedOnnx,
} from "../../io/index.js";
import { randomKey } from "../../ops/index.js";
import {
  exportLanguageModelOnnx,
  type LanguageModelParams,
  languageModelFromPyTorch,
  languageModelToPyTorch,
} from "../../tasks/index.js";
import { type Tensor, tensorsByPath } from "../../tensor/index.js";
import { restoreTree } from "../../train/index.js";
import { createRun, saveModel, writeConfig } from "../run-folder.js";
import { type LanguageModelConfig, parseConfig } from "./config.js";
import { modelOf, type TrainedModel } from "./run.js";

/** Formats of files that a run can be exported to. */
export const EXPORT_FORMATS = ["onnx", "safetensors", "pytorch"] as const;

/** One of `EXPORT_FORMATS`. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The entry of a file's metadata that holds the run's configuration, so that the run can be made again. */
const CONFIG_ENTRY = "through-time.config";

/**
 * A run's model as one file, with its configuration and vocabulary in the file's metadata.
 * @throws OptionError if the format has no way to express the model
 */
export function encodeRun({ config, model, params }: TrainedModel, format: ExportFormat): Uint8Array {
  // Where the text lay on this machine is nobody else's business.
  const { imported: _, ...settings } = { ...config, files: config.files.map((file) => basename(file)) };
  const metadata = { [CONFIG_ENTRY]: JSON.stringify(settings) };
  switch (format) {
    case "onnx":
      return exportLanguageModelOnnx(model, params, metadata);
    case "safetensors":
      return encodeSafetensors(new Map(tensorsByPath(params)), metadata);
    case "pytorch":
      return encodePyTorch(languageModelToPyTorch(model, params), metadata);
  }
}

/** What a file holds. */
interface Contents {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format of a file, by its first bytes: a zip archive, the header of safetensors, or else ONNX. */
function formatOf(bytes: Uint8Array): ExportFormat {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return "pytorch";
  return bytes[8] === "{".charCodeAt(0) ? "safetensors" : "onnx";
}

const READERS: Readonly<Record<ExportFormat, (bytes: Uint8Array, where: string) => Contents>> = {
  onnx: (bytes, where) => {
    const { params, metadata } = readExportedOnnx(bytes, where);
    return { tensors: params, metadata };
  },
  safetensors: decodeSafetensors,
  pytorch: decodePyTorch,
};

/**
 * Reads a file that `encodeRun` made, exactly as the model was.
 * @param where the file's name, for errors
 * @throws FileError if the file is damaged, or was not exported from a run
 */
export function decodeRun(bytes: Uint8Array, where: string): Pick<TrainedModel, "config" | "params"> {
  const format = formatOf(bytes);
  const { tensors, metadata } = READERS[format](bytes, where);
  const config = configIn(metadata, where);
  const model = modelOf(config, vocabularyFromJSON(config.vocabulary).size);
  const like = model.init(randomKey(0));
  if (format !== "pytorch") return { config, params: restoreTree(tensors, like, where) };
  try {
    const params = languageModelFromPyTorch(model, tensors);
    return { config, params: restoreTree(new Map(tensorsByPath(params)), like, where) };
  } catch (cause) {
    if (!(cause instanceof ToolkitError) || cause instanceof FileError) throw cause;
    throw new FileError(`"${where}" does not fit the model it says it holds: ${cause.message}`, { cause });
  }
}

function configIn(metadata: Contents["metadata"], where: string): LanguageModelConfig {
  const text = metadata[CONFIG_ENTRY];
  if (text === undefined) {
    throw new FileError(`"${where}" was not exported from a run: it holds weights, but no settings and no vocabulary`);
  }
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new FileError(
      `"${where}" is damaged: the settings in it are not JSON; use another copy, or export it again`,
      { cause },
    );
  }
  return parseConfig(config, where);
}

/**
 * Makes a run of a file that `encodeRun` made. Everything is checked before the folder is made.
 * @returns the parameters of the model
 * @throws FileError if the file cannot be used or the folder holds something; DiskFullError if there is no room
 */
export async function importRun(bytes: Uint8Array, where: string, path: string): Promise<LanguageModelParams> {
  const { config, params } = decodeRun(bytes, where);
  const run = await createRun(path);
  await writeConfig(run, { ...config, imported: basename(where) });
  await saveModel(run, encodeSafetensors(new Map(tensorsByPath(params)), {}));
  return params;
}
