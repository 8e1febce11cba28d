import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FailureKind, failingFileSystem, systemError } from "../../test/failing-file-system.js";
import { DiskFullError, FileError } from "../core/index.js";
import {
  appendMetrics,
  createRun,
  nextRunPath,
  nodeFileSystem,
  openRun,
  type Run,
  readCheckpoint,
  readConfig,
  readMetrics,
  readModel,
  saveCheckpoint,
  saveModel,
  truncateMetrics,
  writeConfig,
} from "./index.js";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "through-time-"));
  path = join(folder, "runs", "name-1");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const checkpointOf = async (run: Run, name?: "state" | "previous") => decode(await readCheckpoint(run, name));
const contents = (...names: string[]): Promise<string> => readFile(join(path, ...names), "utf8");

describe("createRun", () => {
  it("makes the folder and those around it, and may be repeated before there is a configuration", async () => {
    expect((await createRun(path)).path).toBe(path);
    expect(await readdir(path)).toEqual([]);
    await writeFile(join(path, "config.json.partial"), "{");
    await createRun(path);
  });

  it("refuses a folder that holds a run or other files", async () => {
    await writeConfig(await createRun(path), {});
    await expect(createRun(path)).rejects.toThrow("already holds a run; resume it, or choose another folder");
    await mkdir(join(folder, "other"));
    await writeFile(join(folder, "other", "notes.txt"), "");
    await expect(createRun(join(folder, "other"))).rejects.toThrow('already holds other files ("notes.txt"); choose');
    await expect(createRun(join(folder, "other"))).rejects.toThrow(FileError);
    await expect(createRun(join(folder, "other", "notes.txt"))).rejects.toThrow(FileError);
    await expect(createRun(path, failingFileSystem(0))).rejects.toThrow(DiskFullError);
  });
});

describe("openRun", () => {
  it("opens a run", async () => {
    await writeConfig(await createRun(path), { seed: 1 });
    expect(await readConfig(await openRun(path))).toEqual({ seed: 1 });
  });

  it("says that there is none", async () => {
    await expect(openRun(path)).rejects.toThrow(/there is no run ".*name-1"; check the path/);
    await expect(openRun(folder)).rejects.toThrow("holds no run (there is no config.json in it)");
    await writeFile(join(folder, "file"), "");
    await expect(openRun(join(folder, "file"))).rejects.toThrow("is not the folder of a run");
    await expect(openRun(path)).rejects.toThrow(FileError);
  });
});

describe("nextRunPath", () => {
  it("gives the first number that is free", async () => {
    const base = join(folder, "runs", "name");
    expect(await nextRunPath(base)).toBe(`${base}-1`);
    await createRun(`${base}-1`);
    await writeFile(`${base}-2`, "");
    expect(await nextRunPath(base)).toBe(`${base}-3`);
  });
});

describe("readConfig", () => {
  it("says that the configuration is missing or no JSON", async () => {
    const run = await createRun(path);
    await expect(readConfig(run)).rejects.toThrow("holds no run");
    await writeFile(join(path, "config.json"), "{");
    await expect(readConfig(run)).rejects.toThrow("it is not JSON");
    await expect(readConfig(run)).rejects.toThrow(FileError);
  });
});

describe("saveModel", () => {
  it("saves what readModel reads", async () => {
    const run = await createRun(path);
    await expect(readModel(run)).rejects.toThrow("holds no model yet");
    await saveModel(run, encode("model"));
    expect(decode(await readModel(run))).toBe("model");
  });
});

describe("metrics", () => {
  const records = [
    { step: 1, loss: 2.5 },
    { step: 2, loss: 0.1 + 0.2 },
    { step: 3, loss: 1e-300 },
  ];
  const runWithRecords = async (): Promise<Run> => {
    const run = await createRun(path);
    for (const record of records) await appendMetrics(run, record);
    return run;
  };

  it("are appended and read", async () => {
    expect(await readMetrics(await createRun(path))).toEqual([]);
    expect(await readMetrics(await runWithRecords())).toEqual(records);
    expect((await contents("metrics.jsonl")).split("\n").length).toBe(4);
  });

  it("are cut off after a step", async () => {
    const run = await runWithRecords();
    await truncateMetrics(run, 2);
    expect(await readMetrics(run)).toEqual(records.slice(0, 2));
    await truncateMetrics(run, 0);
    expect(await readMetrics(run)).toEqual([]);
    await rm(join(path, "metrics.jsonl"));
    await truncateMetrics(run, 2);
    expect(await readdir(path)).toEqual([]);
  });

  it("lose just the torn last line, wherever a kill tore it", async () => {
    const run = await runWithRecords();
    const whole = await contents("metrics.jsonl");
    const lastLine = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let length = lastLine; length <= whole.length; length++) {
      await writeFile(join(path, "metrics.jsonl"), whole.slice(0, length));
      const expected = records.slice(0, length >= whole.length - 1 ? 3 : 2);
      expect(await readMetrics(run)).toEqual(expected);
      await truncateMetrics(run, 3);
      await appendMetrics(run, { step: 4 });
      expect(await readMetrics(run)).toEqual([...expected, { step: 4 }]);
    }
  });

  it("are an error when another line is damaged", async () => {
    const run = await runWithRecords();
    for (const line of ["{", "3", "null", '{"loss":1}', ""]) {
      await writeFile(join(path, "metrics.jsonl"), `{"step":1}\n${line}\n{"step":2}\n`);
      await expect(readMetrics(run)).rejects.toThrow(/metrics\.jsonl" is damaged: line 2 is not a record/);
      await expect(truncateMetrics(run, 1)).rejects.toThrow(FileError);
    }
  });

  it("stay whole when the disk is full", async () => {
    const run = await runWithRecords();
    const before = await contents("metrics.jsonl");
    const steps = ["open", "stat", "write"];
    for (const [failing] of steps.entries()) {
      const full = { ...run, fileSystem: failingFileSystem(failing) };
      const appending = appendMetrics(full, { step: 4, note: "long enough to be torn" });
      await expect(appending).rejects.toThrow(DiskFullError);
      expect(await contents("metrics.jsonl")).toBe(before);
    }
    await expect(truncateMetrics({ ...run, fileSystem: failingFileSystem(2) }, 1)).rejects.toThrow(DiskFullError);
    expect(await contents("metrics.jsonl")).toBe(before);
    await appendMetrics(run, { step: 4 });
    expect(await readMetrics(run)).toEqual([...records, { step: 4 }]);
  });
});

describe("saveCheckpoint", () => {
  it("keeps the checkpoint before", async () => {
    const run = await createRun(path);
    await expect(readCheckpoint(run)).rejects.toThrow(/holds no checkpoint; start a new run/);
    await expect(readCheckpoint(run)).rejects.toThrow(FileError);
    await saveCheckpoint(run, encode("1"));
    expect(await checkpointOf(run)).toBe("1");
    await expect(readCheckpoint(run, "previous")).rejects.toThrow("holds no previous checkpoint");
    await saveCheckpoint(run, encode("2"));
    await saveCheckpoint(run, encode("3"));
    expect(await checkpointOf(run)).toBe("3");
    expect(await checkpointOf(run, "previous")).toBe("2");
    expect((await readdir(join(path, "checkpoint"))).sort()).toEqual(["previous.safetensors", "state.safetensors"]);
  });

  it("goes on from the previous one when the newest was removed, and does not lose it", async () => {
    const run = await createRun(path);
    for (const text of ["1", "2"]) await saveCheckpoint(run, encode(text));
    await rm(join(path, "checkpoint", "state.safetensors"));
    expect(await checkpointOf(run)).toBe("1");
    await saveCheckpoint(run, encode("2b"));
    expect(await checkpointOf(run)).toBe("2b");
    expect(await checkpointOf(run, "previous")).toBe("1");
  });

  it("copies where files cannot have two names", async () => {
    const noLinks = { ...nodeFileSystem, link: () => Promise.reject(systemError("EPERM")) };
    const run = await createRun(path, noLinks);
    for (const text of ["1", "2", "3"]) await saveCheckpoint(run, encode(text));
    expect(await checkpointOf(run)).toBe("3");
    expect(await checkpointOf(run, "previous")).toBe("2");
  });

  it.each<FailureKind>(["once", "from-then-on"])(
    "leaves the old or the new one complete, whichever operation fails (%s)",
    async (kind) => {
      const outcomes: string[] = [];
      for (let failing = 0; ; failing++) {
        path = join(folder, `${kind}-${failing}`);
        const run = await createRun(path);
        for (const text of ["oldest", "old"]) await saveCheckpoint(run, encode(text));
        const fileSystem = failingFileSystem(failing, "ENOSPC", kind);
        const error: unknown = await saveCheckpoint({ ...run, fileSystem }, encode("new")).catch((cause) => cause);

        const now = await checkpointOf(run);
        expect(now).toBe(error === undefined ? "new" : "old");
        if (error === undefined) expect(await checkpointOf(run, "previous")).toBe("old");
        else if (kind === "once" && !String(error).includes("could not be read")) {
          expect(error).toBeInstanceOf(DiskFullError);
        }
        if (kind === "once") expect((await readdir(join(path, "checkpoint"))).join()).not.toContain("partial");

        await saveCheckpoint(run, encode("next"));
        expect(await checkpointOf(run)).toBe("next");
        expect(await checkpointOf(run, "previous")).toBe(now);
        expect((await readdir(join(path, "checkpoint"))).sort()).toEqual(["previous.safetensors", "state.safetensors"]);

        outcomes.push(now);
        if (fileSystem.operations.length <= failing) break; // nothing failed any more
      }
      expect(outcomes).toContain("old");
      expect(outcomes.at(-1)).toBe("new");
      expect(outcomes.length).toBeGreaterThan(10);
    },
  );
});
