/** Results of experiments on the disk: `result.json` in a folder of its own. */

import { join } from "node:path";
import { FileError } from "../core/index.js";
import { type ExperimentResult, experimentById, type SeedResult, summarize } from "../experiments/index.js";
import { readError } from "./file-errors.js";
import { errorCodeOf, type FileSystem, nodeFileSystem } from "./file-system.js";
import { writeFileAtomically } from "./files.js";
import { makeFolder } from "./model-files.js";

const RESULT = "result.json";

/**
 * The result in a folder, or `undefined` if the folder does not exist or is empty.
 * @throws FileError if it holds other files, or a result that is damaged
 */
export async function findExperimentResult(
  folder: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<ExperimentResult | undefined> {
  let names: string[];
  try {
    names = await fileSystem.readdir(folder);
  } catch (cause) {
    if (errorCodeOf(cause) === "ENOENT") return undefined;
    if (errorCodeOf(cause) === "ENOTDIR") throw new FileError(`"${folder}" is not a folder; give a folder`, { cause });
    throw readError(folder, cause);
  }
  if (names.length === 0) return undefined;
  if (!names.includes(RESULT)) {
    throw new FileError(
      `"${folder}" holds no result of an experiment (no ${RESULT}), but other files ("${names[0]}"); choose another folder`,
    );
  }
  const path = join(folder, RESULT);
  try {
    return resultFrom(JSON.parse(new TextDecoder().decode(await fileSystem.readFile(path))));
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw readError(path, cause);
    throw new FileError(`"${path}" is damaged; remove it, or choose another folder`, { cause });
  }
}

/** The folder, if it has a result in it; else those of its folders that have one, in the order of their names. */
export async function foldersOfResults(
  folder: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<readonly string[]> {
  // What is no folder, or not there, has nothing in it.
  const namesIn = (path: string): Promise<string[]> => fileSystem.readdir(path).catch(() => []);
  const names = await namesIn(folder);
  if (names.includes(RESULT)) return [folder];
  const found: string[] = [];
  for (const path of names.sort().map((name) => join(folder, name))) {
    if ((await namesIn(path)).includes(RESULT)) found.push(path);
  }
  return found;
}

/** @throws TypeError unless the value has the form of a result */
function resultFrom(value: Readonly<Record<string, unknown>>): ExperimentResult {
  const { id, cell, method, effort, runs } = value;
  if (method !== undefined && typeof method !== "string") throw new TypeError("method");
  if (typeof id !== "string" || typeof cell !== "string" || typeof effort !== "number") throw new TypeError("settings");
  const fromJson = (run: SeedResult): SeedResult => {
    if (!Number.isInteger(run.seed) || typeof run.success !== "boolean") throw new TypeError("run");
    // JSON has no NaN: a figure that was not a number is null there.
    const figures = Object.fromEntries(
      Object.entries(run.figures).map(([name, figure]) => [name, figure ?? Number.NaN]),
    );
    const curve = run.curve.map(([done, error]) => [done, error ?? Number.NaN] as const);
    return { ...run, figures, curve };
  };
  return { id, cell, ...(method !== undefined && { method }), effort, runs: (runs as SeedResult[]).map(fromJson) };
}

/** Saves a result with one run at least, and what its runs say together. @throws DiskFullError, FileError */
export async function saveExperimentResult(
  folder: string,
  result: ExperimentResult,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const { runs, ...settings } = result;
  const saved = { ...settings, ...summarize(experimentById(result.id), runs), runs };
  await makeFolder(folder, fileSystem);
  await writeFileAtomically(join(folder, RESULT), `${JSON.stringify(saved, undefined, 2)}\n`, fileSystem);
}
