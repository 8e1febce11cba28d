/** Reading whole files, and writing them so that a kill or a full disk never leaves half a file behind. */

import { dirname } from "node:path";
import { DataError, FileError } from "../core/index.js";
import { readError, writeError } from "./file-errors.js";
import { errorCodeOf, type FileSystem, nodeFileSystem, type OpenFile } from "./file-system.js";

/**
 * The bytes of a file, for training on the unit byte whatever they mean.
 * @throws FileError if the file is missing, a folder, or cannot be read
 * @throws DataError if it is empty
 */
export async function readBytes(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await fileSystem.readFile(path);
  } catch (cause) {
    throw readError(path, cause);
  }
  if (bytes.length === 0) throw emptyFile(path);
  return bytes;
}

const emptyFile = (path: string): DataError => new DataError(`"${path}" is empty; choose a file with text in it`);

/**
 * The text of a UTF-8 file, without a byte order mark.
 * @throws FileError if the file is missing, a folder, cannot be read, or is not valid UTF-8
 * @throws DataError if it is empty
 */
export async function readText(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<string> {
  const bytes = await readBytes(path, fileSystem);
  const text = decodeText(path, bytes);
  if (text === "") throw emptyFile(path);
  return text;
}

function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (errorCodeOf(cause) === "ERR_ENCODING_INVALID_ENCODED_DATA") {
      throw new FileError(`"${path}" is not valid UTF-8 text; convert it to UTF-8, or use the unit byte`, { cause });
    }
    throw new FileError(`"${path}" is too large for one text (about 512 MiB at most); use a part of it`, { cause });
  }
}

/** @throws FileError if a file or folder of that name exists, or that cannot be found out */
export async function requireNoFile(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<void> {
  try {
    await fileSystem.stat(path);
  } catch (cause) {
    const code = errorCodeOf(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return; // what is wrong with the folder is said when the file is written
    throw readError(path, cause);
  }
  throw new FileError(`"${path}" exists already; choose another name`);
}

/** The name under which a file is written until it is complete; what a killed process left there is overwritten. */
export const partialPath = (path: string): string => `${path}.partial`;

/**
 * Replaces a file as a whole: at every moment `path` holds either the old contents or the new ones. Writes to
 * `<path>.partial` in the same folder, waits until that is on the disk, and renames it. One writer per path at a time.
 * @param beforeReplacing runs when the new contents are safe and the old ones still in place
 * @throws DiskFullError if there is no room, FileError if the place cannot be written; the old contents are then
 *   untouched and the partial file is removed
 */
export async function writeFileAtomically(
  path: string,
  contents: string | Uint8Array,
  fileSystem: FileSystem = nodeFileSystem,
  beforeReplacing: () => Promise<void> = async () => {},
): Promise<void> {
  const partial = partialPath(path);
  try {
    await useFile(fileSystem, partial, "w", async (file) => {
      await file.writeFile(contents);
      await file.sync();
    });
    await beforeReplacing();
    await fileSystem.rename(partial, path);
  } catch (cause) {
    await ignoreFailure(fileSystem.rm(partial, { force: true }));
    throw writeError(path, cause);
  }
  // The new name is in place. That it survives a power cut, too, is not something every file system can promise.
  await ignoreFailure(useFile(fileSystem, dirname(path), "r", (folder) => folder.sync()));
}

/** Opens a file, uses it, and closes it whatever happens; the first failure counts. */
export async function useFile(
  fileSystem: FileSystem,
  path: string,
  flags: "r" | "w" | "a",
  use: (file: OpenFile) => Promise<void>,
): Promise<void> {
  const file = await fileSystem.open(path, flags);
  try {
    await use(file);
  } catch (cause) {
    await ignoreFailure(file.close());
    throw cause;
  }
  await file.close(); // network file systems and quotas may report a full disk only here
}

/** Waits for a step that is worth trying but must not hide the failure it follows. */
export async function ignoreFailure(step: Promise<unknown>): Promise<void> {
  await step.catch(() => {});
}
