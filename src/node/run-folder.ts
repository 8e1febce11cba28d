/**
 * A run is a folder, and at every moment a complete one:
 *
 *   config.json                        all that is needed to repeat it
 *   metrics.jsonl                      one record per line, append-only
 *   model.safetensors                  the model, for using it
 *   checkpoint/state.safetensors       all that is needed to go on
 *   checkpoint/previous.safetensors    the checkpoint before, should the newest be damaged
 */

import { dirname, join } from "node:path";
import { FileError } from "../core/index.js";
import { isNoRoom, readError, writeError } from "./file-errors.js";
import { errorCodeOf, type FileSystem, nodeFileSystem } from "./file-system.js";
import { ignoreFailure, partialPath, writeFileAtomically } from "./files.js";
import { appendMetricsFile, type MetricsRecord, readMetricsFile, truncateMetricsFile } from "./metrics.js";

/** A run on the disk. Make one with `createRun` or `openRun`. */
export interface Run {
  /** Its folder. */
  readonly path: string;
  readonly fileSystem: FileSystem;
}

/** Which of the two checkpoints: the newest, or the one before it. */
export type CheckpointName = "state" | "previous";

const CONFIG = "config.json";
const METRICS = "metrics.jsonl";
const MODEL = "model.safetensors";
const CHECKPOINTS = "checkpoint";

const configPath = (run: Run): string => join(run.path, CONFIG);
const metricsPath = (run: Run): string => join(run.path, METRICS);
const modelPath = (run: Run): string => join(run.path, MODEL);
const checkpointPath = (run: Run, name: CheckpointName): string => join(run.path, CHECKPOINTS, `${name}.safetensors`);

/**
 * Makes the folder of a new run, and the folders around it. The run exists once `writeConfig` is done.
 * @throws FileError if the folder holds a run or other files already, or cannot be made; DiskFullError if there is no room
 */
export async function createRun(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<Run> {
  const names = await makeFolder(path, fileSystem);
  if (names.includes(CONFIG)) {
    throw new FileError(`"${path}" already holds a run; resume it, or choose another folder`);
  }
  const foreign = names.find((name) => name !== partialPath(CONFIG));
  if (foreign !== undefined) {
    throw new FileError(`"${path}" already holds other files ("${foreign}"); choose a new or empty folder`);
  }
  return { path, fileSystem };
}

/** Makes a folder unless it exists. @returns the names in it */
async function makeFolder(path: string, fileSystem: FileSystem): Promise<string[]> {
  try {
    await fileSystem.mkdir(path, { recursive: true });
    return await fileSystem.readdir(path);
  } catch (cause) {
    throw writeError(path, cause, "nothing was changed");
  }
}

/**
 * Opens the folder of a run.
 * @throws FileError if it does not exist or holds no run
 */
export async function openRun(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<Run> {
  let names: string[];
  try {
    names = await fileSystem.readdir(path);
  } catch (cause) {
    if (errorCodeOf(cause) === "ENOTDIR") {
      throw new FileError(`"${path}" is not the folder of a run; give the folder`, { cause });
    }
    throw readError(path, cause, `there is no run "${path}"; check the path, or start a new run`);
  }
  if (!names.includes(CONFIG)) {
    throw new FileError(`"${path}" holds no run (there is no ${CONFIG} in it); choose the folder of a run`);
  }
  return { path, fileSystem };
}

/**
 * The path for a new run: `<base>-1`, `<base>-2`, ..., the first that does not exist.
 * @throws FileError if that cannot be found out
 */
export async function nextRunPath(base: string, fileSystem: FileSystem = nodeFileSystem): Promise<string> {
  for (let number = 1; ; number++) {
    const path = `${base}-${number}`;
    if (!(await exists(path, fileSystem))) return path;
  }
}

async function exists(path: string, fileSystem: FileSystem): Promise<boolean> {
  try {
    await fileSystem.stat(path);
    return true;
  } catch (cause) {
    const code = errorCodeOf(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw readError(path, cause);
  }
}

/** Saves the configuration as readable JSON. @throws DiskFullError, FileError as `writeFileAtomically` */
export async function writeConfig(run: Run, config: unknown): Promise<void> {
  await writeFileAtomically(configPath(run), `${JSON.stringify(config, undefined, 2)}\n`, run.fileSystem);
}

/** The configuration. @throws FileError if it is missing or not JSON */
export async function readConfig(run: Run): Promise<unknown> {
  const path = configPath(run);
  const missing = `"${run.path}" holds no run (there is no ${CONFIG} in it); choose the folder of a run`;
  const bytes = await readWhole(run, path, missing);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FileError(`"${path}" is damaged: it is not JSON; restore it from a copy, or start a new run`, { cause });
  }
}

async function readWhole(run: Run, path: string, missing: string): Promise<Uint8Array> {
  try {
    return await run.fileSystem.readFile(path);
  } catch (cause) {
    throw readError(path, cause, missing);
  }
}

/** Adds a record to the metrics. @throws DiskFullError if there is no room, FileError if it cannot be written */
export const appendMetrics = (run: Run, record: MetricsRecord): Promise<void> =>
  appendMetricsFile(run.fileSystem, metricsPath(run), record);

/** All records, oldest first, without a last line that was cut off. @throws FileError if another line is damaged */
export const readMetrics = (run: Run): Promise<MetricsRecord[]> => readMetricsFile(run.fileSystem, metricsPath(run));

/**
 * Drops the records with a larger step, and a last line that was cut off. Call it before a resumed run appends.
 * @throws FileError if another line is damaged; DiskFullError, FileError as `writeFileAtomically`
 */
export const truncateMetrics = (run: Run, step: number): Promise<void> =>
  truncateMetricsFile(run.fileSystem, metricsPath(run), step);

/** Saves the model. @throws DiskFullError, FileError as `writeFileAtomically` */
export const saveModel = (run: Run, bytes: Uint8Array): Promise<void> =>
  writeFileAtomically(modelPath(run), bytes, run.fileSystem);

/** The bytes of the model. @throws FileError if none was saved yet, or it cannot be read */
export const readModel = (run: Run): Promise<Uint8Array> =>
  readWhole(run, modelPath(run), `"${run.path}" holds no model yet (no ${MODEL}); train until one is saved`);

/**
 * Saves a checkpoint; the one before becomes `previous`. At every moment `state` is complete, old or new.
 * @throws DiskFullError, FileError as `writeFileAtomically`
 */
export async function saveCheckpoint(run: Run, bytes: Uint8Array): Promise<void> {
  const path = checkpointPath(run, "state");
  try {
    await run.fileSystem.mkdir(dirname(path), { recursive: true });
  } catch (cause) {
    throw writeError(path, cause);
  }
  await writeFileAtomically(path, bytes, run.fileSystem, () => keepAsPrevious(run));
}

/** Gives the newest checkpoint a second name, which stays when the first one is given to its successor. */
async function keepAsPrevious(run: Run): Promise<void> {
  const { fileSystem } = run;
  const [state, previous] = [checkpointPath(run, "state"), checkpointPath(run, "previous")];
  if (!(await exists(state, fileSystem))) return;
  await fileSystem.rm(previous, { force: true });
  try {
    await fileSystem.link(state, previous);
  } catch (cause) {
    if (isNoRoom(cause)) throw cause;
    await copyWhole(state, previous, fileSystem); // some file systems have no second names
  }
}

async function copyWhole(from: string, to: string, fileSystem: FileSystem): Promise<void> {
  try {
    await fileSystem.copyFile(from, to);
  } catch (cause) {
    await ignoreFailure(fileSystem.rm(to, { force: true }));
    throw cause;
  }
}

/** Whether there is a checkpoint, the newest or the one before it. */
export async function hasCheckpoint(run: Run): Promise<boolean> {
  const paths = [checkpointPath(run, "state"), checkpointPath(run, "previous")];
  return (await Promise.all(paths.map((path) => exists(path, run.fileSystem)))).includes(true);
}

/**
 * The bytes of a checkpoint.
 * @param name default: the newest, or `previous` if just that one is there
 * @throws FileError if there is none, or it cannot be read
 */
export async function readCheckpoint(run: Run, name?: CheckpointName): Promise<Uint8Array> {
  const useState = name === undefined && (await exists(checkpointPath(run, "state"), run.fileSystem));
  const path = checkpointPath(run, name ?? (useState ? "state" : "previous"));
  const missing =
    name === "previous"
      ? `"${run.path}" holds no previous checkpoint; use the newest one, or start a new run`
      : `"${run.path}" holds no checkpoint; start a new run`;
  return readWhole(run, path, missing);
}
