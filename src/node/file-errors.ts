/** What the system's error codes mean for someone who reads or saves a file. */

import { DiskFullError, FileError, ToolkitError } from "../core/index.js";
import { errorCodeOf } from "./file-system.js";

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** Codes that say there is no room. */
const NO_ROOM: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "your disk quota is used up",
  EFBIG: "the file is larger than this disk or account allows",
};

const NOT_WRITABLE: Readonly<Record<string, string>> = {
  EACCES: "there is no permission to write there; change it, or choose another folder",
  EPERM: "there is no permission to write there; change it, or choose another folder",
  EROFS: "the disk is read-only; choose another folder",
  ENOENT: "its folder does not exist; create it, or choose another folder",
  ENOTDIR: "a part of its path is a file, not a folder; choose another path",
  EEXIST: "a file of that name is in the way; choose another path",
  EISDIR: "a folder of that name is in the way; choose another path",
};

const NOT_READABLE: Readonly<Record<string, string>> = {
  EISDIR: "is a folder, not a file; give the path of a file",
  EACCES: "cannot be read: there is no permission; change it, or choose another file",
  EPERM: "cannot be read: there is no permission; change it, or choose another file",
  ERR_FS_FILE_TOO_LARGE: "is too large to be read at once (2 GiB at most); use a part of it",
};

const lookUp = (table: Readonly<Record<string, string>>, error: unknown): string | undefined => {
  const code = errorCodeOf(error);
  return code !== undefined && Object.hasOwn(table, code) ? table[code] : undefined;
};

/** Whether an operation failed because there is no room. */
export const isNoRoom = (error: unknown): boolean => lookUp(NO_ROOM, error) !== undefined;

/**
 * The error to throw when `path` could not be written; an error of ours stays as it is.
 * @param kept what became of the contents before
 */
export function writeError(path: string, cause: unknown, kept = "the previous version is untouched"): ToolkitError {
  if (cause instanceof ToolkitError) return cause;
  const noRoom = lookUp(NO_ROOM, cause);
  if (noRoom !== undefined) {
    return new DiskFullError(`${noRoom}: "${path}" could not be written; ${kept}; free some space and resume`, {
      cause,
    });
  }
  const reason = lookUp(NOT_WRITABLE, cause) ?? `${messageOf(cause)}; check the disk, or choose another folder`;
  return new FileError(`"${path}" could not be written: ${reason}`, { cause });
}

/**
 * The error to throw when `path` could not be read; an error of ours stays as it is.
 * @param missing the sentence for a file that is not there
 */
export function readError(
  path: string,
  cause: unknown,
  missing = `there is no file "${path}"; check the path`,
): ToolkitError {
  if (cause instanceof ToolkitError) return cause;
  const code = errorCodeOf(cause);
  if (code === "ENOENT" || code === "ENOTDIR") return new FileError(missing, { cause });
  const reason = lookUp(NOT_READABLE, cause) ?? `could not be read: ${messageOf(cause)}; check the disk`;
  return new FileError(`"${path}" ${reason}`, { cause });
}
