/** The metrics of a run: one JSON record per line, appended while it trains (`metrics.jsonl`). */

import { FileError } from "../core/index.js";
import { isNoRoom, readError, writeError } from "./file-errors.js";
import { errorCodeOf, type FileSystem } from "./file-system.js";
import { ignoreFailure, useFile, writeFileAtomically } from "./files.js";

/** What was measured after a training step. Values must survive JSON: NaN and infinities become null. */
export interface MetricsRecord {
  /** How many training steps were done. */
  readonly step: number;
  readonly [name: string]: unknown;
}

interface Line {
  readonly text: string;
  readonly record: MetricsRecord;
}

const isMetricsRecord = (value: unknown): value is MetricsRecord =>
  typeof value === "object" && value !== null && "step" in value && typeof value.step === "number";

function parseLine(text: string): MetricsRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMetricsRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The records of a file; a last line that a kill left unfinished is dropped, any other damage is an error. */
function parseLines(contents: string, path: string): Line[] {
  const texts = contents.split("\n");
  const unfinished = texts.length - 1; // empty when the file ends with a line break, as it should
  return texts.flatMap((text, index) => {
    const record = parseLine(text);
    if (record !== undefined) return [{ text, record }];
    if (index === unfinished) return [];
    throw new FileError(
      `"${path}" is damaged: line ${index + 1} is not a record with a step; correct or remove that line`,
    );
  });
}

async function readContents(fileSystem: FileSystem, path: string): Promise<string> {
  try {
    return new TextDecoder().decode(await fileSystem.readFile(path));
  } catch (cause) {
    if (errorCodeOf(cause) === "ENOENT") return "";
    throw readError(path, cause);
  }
}

/**
 * All records of a metrics file, oldest first; none if there is no file. A last line that was cut off is left out.
 * @throws FileError if another line is not a record with a step
 */
export async function readMetricsFile(fileSystem: FileSystem, path: string): Promise<MetricsRecord[]> {
  return parseLines(await readContents(fileSystem, path), path).map(({ record }) => record);
}

/**
 * Adds a record at the end. If that fails, what was written of it is taken back as far as possible.
 * @throws DiskFullError if there is no room, FileError if the file cannot be written
 */
export async function appendMetricsFile(fileSystem: FileSystem, path: string, record: MetricsRecord): Promise<void> {
  try {
    await useFile(fileSystem, path, "a", async (file) => {
      const { size } = await file.stat();
      try {
        await file.writeFile(`${JSON.stringify(record)}\n`);
      } catch (cause) {
        if (isNoRoom(cause)) await ignoreFailure(file.truncate(size));
        throw cause;
      }
    });
  } catch (cause) {
    throw writeError(path, cause, "the records before are untouched");
  }
}

/**
 * Drops the records after a step, and a last line that was cut off: where a run resumes, its metrics do, too. Atomic.
 * @param step records with a larger one are dropped
 * @throws FileError if another line is not a record, or the file cannot be written; DiskFullError if there is no room
 */
export async function truncateMetricsFile(fileSystem: FileSystem, path: string, step: number): Promise<void> {
  const before = await readContents(fileSystem, path);
  const kept = parseLines(before, path).filter(({ record }) => record.step <= step);
  const after = kept.map(({ text }) => `${text}\n`).join("");
  if (after !== before) await writeFileAtomically(path, after, fileSystem);
}
