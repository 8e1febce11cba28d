/** The part of Node's file system that this folder uses, as a value, so that tests can let any operation fail. */

import * as promises from "node:fs/promises";

/** An open file. @internal */
export interface OpenFile {
  writeFile(contents: string | Uint8Array): Promise<void>;
  /** Waits until the contents are on the disk. */
  sync(): Promise<void>;
  stat(): Promise<{ readonly size: number }>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** What `node:fs/promises` offers under the same names. Failures are errors with a `code` such as "ENOENT". @internal */
export interface FileSystem {
  open(path: string, flags: "r" | "w" | "a"): Promise<OpenFile>;
  readFile(path: string): Promise<Uint8Array>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<{ readonly size: number }>;
  mkdir(path: string, options: { readonly recursive: true }): Promise<unknown>;
  rename(from: string, to: string): Promise<void>;
  link(existing: string, created: string): Promise<void>;
  copyFile(from: string, to: string): Promise<void>;
  rm(path: string, options: { readonly force: true }): Promise<void>;
}

/** The real one. */
export const nodeFileSystem: FileSystem = promises;

/** The code of a failed file operation, as "ENOSPC"; nothing for other errors. */
export function errorCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
