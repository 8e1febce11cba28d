/** Files around a model: what it is read from, and the folder that its results go to. */

import { FileError } from "../core/index.js";
import { readError, writeError } from "./file-errors.js";
import { type FileSystem, nodeFileSystem } from "./file-system.js";

/**
 * The bytes of a file that a decoder will check.
 * @throws FileError if the file is missing, a folder, empty, or cannot be read
 */
export async function readBinary(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await fileSystem.readFile(path);
  } catch (cause) {
    throw readError(path, cause);
  }
  if (bytes.length === 0) throw new FileError(`"${path}" is empty; use another copy`);
  return bytes;
}

/**
 * Makes a folder, and those that it is in, unless it is there already.
 * @throws FileError if it cannot be made, DiskFullError if there is no room
 */
export async function makeFolder(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<void> {
  try {
    await fileSystem.mkdir(path, { recursive: true });
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/** Characters that every file system takes in a name. */
const UNSAFE = /[^\w.-]+|^[.-]+/g;

/** A different file name for each of some names of any kind: other characters become `_`, names that would be equal are numbered. */
export function safeFileNames(names: readonly string[], extension: string): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = name.replace(UNSAFE, "_") || "_";
    let candidate = base;
    // Some file systems do not tell A from a.
    for (let number = 2; taken.has(candidate.toLowerCase()); number++) candidate = `${base}-${number}`;
    taken.add(candidate.toLowerCase());
    return `${candidate}${extension}`;
  });
}
