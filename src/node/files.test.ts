import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failingFileSystem, systemError } from "../../test/failing-file-system.js";
import { DataError, DiskFullError, FileError } from "../core/index.js";
import { nodeFileSystem, readBytes, readText, writeFileAtomically } from "./index.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "through-time-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a promise was rejected with. */
const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as Error,
  );

describe("readText", () => {
  const file = async (contents: string | Uint8Array): Promise<string> => {
    const path = join(folder, "text.txt");
    await writeFile(path, contents);
    return path;
  };

  it("reads UTF-8 and strips a byte order mark", async () => {
    expect(await readText(await file("\uFEFFnaïve 😀\r\n"))).toBe("naïve 😀\r\n");
  });

  it("says that a file is missing, a folder, empty, or no UTF-8", async () => {
    const missing = await failure(readText(join(folder, "none.txt")));
    expect(missing).toBeInstanceOf(FileError);
    expect(missing.message).toMatch(/^there is no file ".*none\.txt"; check the path$/);
    expect(missing.cause).toMatchObject({ code: "ENOENT" });

    const directory = await failure(readText(folder));
    expect(directory).toBeInstanceOf(FileError);
    expect(directory.message).toContain("is a folder, not a file");

    for (const nothing of ["", "\uFEFF"]) {
      const empty = await failure(readText(await file(nothing)));
      expect(empty).toBeInstanceOf(DataError);
      expect(empty.message).toContain('text.txt" is empty; ');
    }

    const latin1 = await failure(readText(await file(Uint8Array.of(0x63, 0xe9))));
    expect(latin1).toBeInstanceOf(FileError);
    expect(latin1.message).toContain('text.txt" is not valid UTF-8 text; convert it to UTF-8, or use the unit byte');
    expect(latin1.cause).toBeInstanceOf(TypeError);
  });

  it("says that a file may not be read", async () => {
    const path = await file("text");
    expect((await failure(readText(path, failingFileSystem(0, "EACCES")))).message).toContain("there is no permission");
    expect(await failure(readText(path, failingFileSystem(0, "EIO")))).toBeInstanceOf(FileError);
  });
});

describe("readBytes", () => {
  it("reads any bytes", async () => {
    const path = join(folder, "bytes");
    await writeFile(path, Uint8Array.of(0, 255));
    expect([...(await readBytes(path))]).toEqual([0, 255]);
  });
});

describe("writeFileAtomically", () => {
  const write = (path: string, failing: number, code?: string) =>
    writeFileAtomically(path, "new contents", failingFileSystem(failing, code));

  it("writes texts and bytes, replacing what was there and what a killed process left", async () => {
    const path = join(folder, "file");
    await writeFile(`${path}.partial`, "a much longer half of something else");
    await writeFileAtomically(path, "text");
    expect(await readFile(path, "utf8")).toBe("text");
    await writeFileAtomically(path, Uint8Array.of(1, 2));
    expect([...(await readFile(path))]).toEqual([1, 2]);
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("syncs the file before it renames it, and the folder afterwards", async () => {
    const fileSystem = failingFileSystem(Infinity);
    await writeFileAtomically(join(folder, "file"), "text", fileSystem);
    const names = fileSystem.operations.map((operation) => operation.replace(/through-time-.*/, "folder"));
    expect(names).toEqual([
      "open file.partial",
      "write",
      "sync",
      "close",
      "rename file",
      "open folder",
      "sync",
      "close",
    ]);
  });

  it.each(["ENOSPC", "EDQUOT", "EFBIG"])(
    "leaves the old contents and nothing else when %s comes at any step",
    async (code) => {
      const path = join(folder, "file");
      for (let failing = 0; failing <= 4; failing++) {
        await writeFile(path, "old contents");
        const error = await failure(write(path, failing, code));
        expect(error).toBeInstanceOf(DiskFullError);
        expect(error.message).toMatch(
          /: ".*file" could not be written; the previous version is untouched; free some space/,
        );
        expect(error.cause).toMatchObject({ code });
        expect(await readFile(path, "utf8")).toBe("old contents");
        expect(await readdir(folder)).toEqual(["file"]);
      }
      for (let failing = 5; failing <= 7; failing++) {
        await write(path, failing, code);
        expect(await readFile(path, "utf8")).toBe("new contents");
        expect(await readdir(folder)).toEqual(["file"]);
      }
    },
  );

  it("leaves the old contents when killed before the renaming", async () => {
    const path = join(folder, "file");
    for (let failing = 0; failing <= 4; failing++) {
      await writeFile(path, "old contents");
      await failure(writeFileAtomically(path, "new", failingFileSystem(failing, "EIO", "from-then-on")));
      expect(await readFile(path, "utf8")).toBe("old contents");
    }
  });

  it.each([
    ["EACCES", "there is no permission to write there"],
    ["EROFS", "the disk is read-only"],
    ["EIO", "EIO: simulated; check the disk"],
  ])("says what %s means", async (code, sentence) => {
    const error = await failure(write(join(folder, "file"), 0, code));
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toContain(sentence);
    expect(error.cause).toMatchObject({ code });
  });

  it("says what is in the way", async () => {
    await writeFile(join(folder, "file"), "");
    await mkdir(join(folder, "folder"));
    await writeFile(join(folder, "folder", "inside"), "");
    const inFile = await failure(writeFileAtomically(join(folder, "file", "x"), "new"));
    expect(inFile.message).toContain("a part of its path is a file, not a folder");
    const nowhere = await failure(writeFileAtomically(join(folder, "none", "x"), "new"));
    expect(nowhere.message).toContain("its folder does not exist");
    const overFolder = await failure(writeFileAtomically(join(folder, "folder"), "new"));
    expect(overFolder.message).toContain("a folder of that name is in the way");
    for (const error of [inFile, nowhere, overFolder]) expect(error).toBeInstanceOf(FileError);
    expect((await readdir(folder)).sort()).toEqual(["file", "folder"]);
  });

  it("hands errors of ours on as they are", async () => {
    const ours = new FileError("ours");
    const rejecting = writeFileAtomically(join(folder, "file"), "new", nodeFileSystem, () => Promise.reject(ours));
    expect(await failure(rejecting)).toBe(ours);
    expect(await readdir(folder)).toEqual([]);
  });

  it("wraps errors without a code", async () => {
    const strange = () => Promise.reject(Object.assign(systemError("ENOSPC"), { code: 28 }));
    const error = await failure(writeFileAtomically(join(folder, "file"), "new", nodeFileSystem, strange));
    expect(error).toBeInstanceOf(FileError);
  });
});
