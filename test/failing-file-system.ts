/** A real file system in which a chosen operation fails: for tests of full disks and kills. */

import { type FileSystem, nodeFileSystem, type OpenFile } from "../src/node/file-system.js";

/** How an operation fails: just this one, as on a full disk, or this one and all after it, as when killed. */
export type FailureKind = "once" | "from-then-on";

export interface FailingFileSystem extends FileSystem {
  /** The operations so far, as `rename state.safetensors`. */
  readonly operations: string[];
}

/** An error as Node throws it. */
export const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: simulated`), { code, syscall: "write" });

/**
 * @param failing number of the operation that fails, counted from 0; Infinity for none
 * @param code    the code it fails with. A write that fails has written half of its contents
 */
export function failingFileSystem(failing: number, code = "ENOSPC", kind: FailureKind = "once"): FailingFileSystem {
  const operations: string[] = [];
  const fails = (name: string): boolean => {
    const number = operations.push(name) - 1;
    return kind === "once" ? number === failing : number >= failing;
  };
  const attempt = async <T>(name: string, operation: () => Promise<T>): Promise<T> => {
    if (fails(name)) throw systemError(code);
    return operation();
  };
  const wrapFile = (file: OpenFile): OpenFile => ({
    writeFile: async (contents) => {
      if (!fails("write")) return file.writeFile(contents);
      const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
      const first = operations.length - 1 === failing; // a dead process writes no more
      if (first) await file.writeFile(bytes.subarray(0, bytes.length >> 1));
      throw systemError(code);
    },
    sync: () => attempt("sync", () => file.sync()),
    stat: () => attempt("stat", () => file.stat()),
    truncate: (size) => attempt("truncate", () => file.truncate(size)),
    close: async () => {
      await file.close(); // the system closes the files of the dead
      return attempt("close", async () => {});
    },
  });
  const base = (path: string): string => path.split("/").at(-1) as string;
  return {
    operations,
    open: (path, flags) => attempt(`open ${base(path)}`, async () => wrapFile(await nodeFileSystem.open(path, flags))),
    readFile: (path) => attempt(`readFile ${base(path)}`, () => nodeFileSystem.readFile(path)),
    readdir: (path) => attempt(`readdir ${base(path)}`, () => nodeFileSystem.readdir(path)),
    stat: (path) => attempt(`stat ${base(path)}`, () => nodeFileSystem.stat(path)),
    mkdir: (path, options) => attempt(`mkdir ${base(path)}`, () => nodeFileSystem.mkdir(path, options)),
    rename: (from, to) => attempt(`rename ${base(to)}`, () => nodeFileSystem.rename(from, to)),
    link: (existing, created) => attempt(`link ${base(created)}`, () => nodeFileSystem.link(existing, created)),
    copyFile: (from, to) => attempt(`copyFile ${base(to)}`, () => nodeFileSystem.copyFile(from, to)),
    rm: (path, options) => attempt(`rm ${base(path)}`, () => nodeFileSystem.rm(path, options)),
  };
}
