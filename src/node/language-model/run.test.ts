import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { expectSame } from "../../../test/close.js";
import { type Scratch, scratchFolder } from "../../../test/command-line.js";
import { type FailureKind, failingFileSystem } from "../../../test/failing-file-system.js";
import { DataError, DiskFullError, FileError, ToolkitError } from "../../core/index.js";
import { decodeSafetensors } from "../../io/index.js";
import { textEvaluator } from "../../tasks/index.js";
import { readMetrics } from "../run-folder.js";
import {
  type LanguageModelRun,
  type LanguageModelSettings,
  openModel,
  resumeRun,
  startRun,
  trainRun,
  validateRun,
} from "./index.js";

const TEXT = "a line of text, and another line of text. ".repeat(6);
const SETTINGS = { hidden: 4, batch: 2, window: 8, steps: 12, validation: 0.2, dropout: 0.2, learningRate: 0.01 };

let scratch: Scratch;
let folder: string;
let text: string;
beforeAll(() => {
  scratch = scratchFolder();
  text = join(scratch.path, "text.txt");
  writeFileSync(text, TEXT);
});
afterAll(() => scratch.remove());

let count = 0;
beforeEach(() => {
  folder = join(scratch.path, `run-${count++}`);
});

const begin = (changes: Partial<LanguageModelSettings> = {}, path = folder): Promise<LanguageModelRun> =>
  startRun(path, { ...SETTINGS, files: [text], ...changes });

/** Trains to the end. @returns the steps that were reported */
async function finish(run: LanguageModelRun, signal?: AbortSignal): Promise<number[]> {
  const steps: number[] = [];
  for await (const { step } of trainRun(run, signal ? { signal } : {})) steps.push(step);
  return steps;
}

const bytes = (name: string, path = folder): Buffer => readFileSync(join(path, name));
const MODEL = "model.safetensors";
const STATE = join("checkpoint", "state.safetensors");
const PREVIOUS = join("checkpoint", "previous.safetensors");

/** An unbroken run, to compare others with. */
let unbroken: string;
beforeAll(async () => {
  unbroken = join(scratch.path, "unbroken");
  await finish(await begin({}, unbroken));
});

/** The same bytes as the unbroken run. */
const expectLikeUnbroken = (path = folder): void => {
  for (const name of [MODEL, STATE, "metrics.jsonl", "config.json"]) {
    expect(bytes(name, path).equals(bytes(name, unbroken)), name).toBe(true);
  }
};

/** The error that a promise was rejected with. */
const failure = (promise: Promise<unknown>): Promise<ToolkitError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as ToolkitError,
  );

describe("a run", () => {
  test("gives the same files every time, and a record for every step", async () => {
    const run = await begin();
    expect(await finish(run)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expectLikeUnbroken();
    const records = await readMetrics(run.run);
    expect(records.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(Object.keys(records[0]!)).toEqual(["step", "loss", "averageLoss", "gradientNorm", "tokens"]);
    expect(Object.keys(records[1]!).slice(5)).toEqual(["validationLoss", "isBest"]);
    expect(records[11]!.loss as number).toBeLessThan(records[0]!.loss as number);
  });

  test("differs with its seed", async () => {
    await finish(await begin({ seed: 2 }));
    expect(bytes(MODEL).equals(bytes(MODEL, unbroken))).toBe(false);
  });

  test("keeps the model with the best validation loss, and validateRun measures that one", async () => {
    const run = await begin({ learningRate: 0.5, steps: 20 }); // too fast: the best model comes early
    await finish(run);
    const records = (await readMetrics(run.run)).filter(({ validationLoss }) => validationLoss !== undefined);
    const losses = records.map(({ validationLoss }) => validationLoss as number);
    expect(losses.at(-1)!).toBeGreaterThan(Math.min(...losses));
    expect((await validateRun(run))!.loss).toBeCloseTo(Math.min(...losses), 6);
    const { model, params } = await openModel(folder);
    const measured = textEvaluator(model, run.corpus.validation!.tokens, { batchSize: 2, windowLength: 8 })(params);
    expect(measured.loss).toBeCloseTo(Math.min(...losses), 6);
  });

  test("without a validation part keeps the newest model", async () => {
    const run = await begin({ validation: 0 });
    await finish(run);
    const { tensors } = decodeSafetensors(bytes(STATE), STATE);
    const { params } = await openModel(folder);
    expectSame(params.readout.weight, tensors.get("params.readout.weight")!);
    expect(await validateRun(run)).toBeUndefined();
  });

  test("shows samples of the asked length, the same for the same seed", async () => {
    const samplesOf = async (path: string) => {
      const samples: (string | undefined)[] = [];
      for await (const report of trainRun(await begin({}, path), { sampleLength: 7 })) samples.push(report.sample);
      return samples;
    };
    const samples = await samplesOf(folder);
    expect(samples.filter((sample) => sample !== undefined).map(({ length }) => length)).toEqual([7, 7, 7, 7, 7, 7]);
    expect(await samplesOf(`${folder}-again`)).toEqual(samples);
    expectLikeUnbroken(); // samples do not change what is learnt
  });

  test("is not begun, and no folder made, if its text or its settings cannot be used", async () => {
    await expect(begin({ hidden: 0 })).rejects.toThrow("hidden must be");
    await expect(begin({ files: [`${text}.none`] })).rejects.toThrow("there is no file");
    await expect(begin({ window: 4000 })).rejects.toThrow(DataError);
    await expect(begin({ batch: 4000 })).rejects.toThrow(DataError);
    expect(existsSync(folder)).toBe(false);
  });
});

describe("resuming a run", () => {
  test("after an abort ends with the files of the unbroken run, byte for byte", async () => {
    const abort = new AbortController();
    const steps: number[] = [];
    for await (const { step } of trainRun(await begin(), { signal: abort.signal })) {
      steps.push(step);
      if (step === 5) abort.abort();
    }
    expect(steps.at(-1)).toBe(6);
    const again = await resumeRun(folder, {});
    expect(again.state.progress.step).toBe(6);
    expect(await finish(again)).toEqual([7, 8, 9, 10, 11, 12]);
    expectLikeUnbroken();
  });

  test("of a finished run does nothing; with more steps it goes on as the longer run would have", async () => {
    await finish(await begin());
    expect(await finish(await resumeRun(folder, {}))).toEqual([]);
    expectLikeUnbroken();
    expect(await finish(await resumeRun(folder, { steps: 15 }))).toEqual([13, 14, 15]);
    const longer = `${folder}-longer`;
    await finish(await begin({ steps: 15 }, longer));
    const [resumed, whole] = [folder, longer].map((path) => decodeSafetensors(bytes(STATE, path), path));
    expectSame(Object.fromEntries(resumed!.tensors), Object.fromEntries(whole!.tensors));
    const average = ({ metadata }: typeof resumed & object) => JSON.parse(metadata.progress!).averageLoss;
    expect(average(resumed!)).toBe(average(whole!));
    expect((await openModel(folder)).config.steps).toBe(15);
  });

  test.each<FailureKind>(["once", "from-then-on"])(
    "after any file operation failed (%s) ends with the files of the unbroken run, byte for byte",
    async (kind) => {
      let failures = 0;
      // Every operation of the end, some before.
      for (let failing = 0, done = false; !done; failing += failing < 80 ? 9 : 1) {
        const path = `${folder}-${failing}`;
        const fresh = await begin({}, path);
        const fileSystem = failingFileSystem(failing, "ENOSPC", kind);
        const error = await finish({ ...fresh, run: { path, fileSystem } }).then(
          () => undefined,
          (cause: unknown) => cause,
        );
        if (error !== undefined) {
          failures += 1;
          expect(error).toBeInstanceOf(ToolkitError);
          if (kind === "once" && !String(error).includes("could not be read"))
            expect(error).toBeInstanceOf(DiskFullError);
        }
        done = fileSystem.operations.length <= failing;
        await finish(await resumeRun(path, {}));
        expectLikeUnbroken(path);
        rmSync(path, { recursive: true });
      }
      expect(failures).toBeGreaterThan(15);
    },
  );

  test("refuses a text that changed, fewer steps, another architecture, and a folder without a run", async () => {
    const other = join(scratch.path, "other.txt");
    writeFileSync(other, TEXT);
    await finish(await begin({ files: [other] }));
    writeFileSync(other, TEXT.replace("line", "lime"));
    const changed = await failure(resumeRun(folder, {}));
    expect(changed.message).toMatch(
      /^the text of the run in ".*" has changed since it was started; restore .*other\.txt/,
    );
    rmSync(other);
    expect((await failure(resumeRun(folder, {}))).message).toContain("there is no file");

    expect((await failure(resumeRun(unbroken, { steps: 11 }))).message).toContain(
      "is at step 12 already; ask for more steps than that to go on",
    );
    expect((await failure(resumeRun(unbroken, { hidden: 5 }))).message).toContain("has hidden 4, not 5");
    expect((await failure(resumeRun(`${folder}-none`, {}))).message).toContain("there is no run");
    expect((await failure(resumeRun(scratch.path, {}))).message).toContain("holds no run");
    expectLikeUnbroken(unbroken);
  });

  test.each(["flipped", "cut off"])("names a checkpoint that is %s, and following its advice works", async (damage) => {
    const run = await begin();
    for await (const { step } of trainRun(run)) {
      // Two checkpoints: at an abort, and at the end.
      if (step === 4) break;
    }
    const abort = new AbortController();
    abort.abort();
    await finish(await resumeRun(folder, {}), abort.signal);
    await finish(await resumeRun(folder, {}));
    expect(readdirSync(join(folder, "checkpoint")).sort()).toEqual(["previous.safetensors", "state.safetensors"]);
    const whole = bytes(STATE);
    const damaged = damage === "flipped" ? Buffer.from(whole) : whole.subarray(0, whole.length - 9);
    if (damage === "flipped") damaged[damaged.length - 5]! ^= 4;
    writeFileSync(join(folder, STATE), damaged);

    const error = await failure(resumeRun(folder, {}));
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toContain(`"${folder}/checkpoint/state.safetensors" is damaged`);
    expect(error.message).toContain(`put ${folder}/checkpoint/previous.safetensors in its place`);
    expect(bytes(STATE).equals(damaged)).toBe(true); // nothing was touched
    renameSync(join(folder, PREVIOUS), join(folder, STATE));
    expect((await finish(await resumeRun(folder, {}))).at(-1)).toBe(12);
    expectLikeUnbroken();

    // With the damaged one gone, the one before it is as good.
    rmSync(join(folder, STATE));
    expect((await resumeRun(folder, {})).state.progress.step).toBeGreaterThan(0);
  });
});

describe("openModel", () => {
  test("says what is wrong with a damaged or missing model or configuration", async () => {
    cpSync(unbroken, folder, { recursive: true });
    const model = bytes(MODEL);
    model[model.length - 3]! ^= 1;
    writeFileSync(join(folder, MODEL), model);
    expect((await failure(openModel(folder))).message).toContain('model.safetensors" is damaged');
    writeFileSync(join(folder, MODEL), bytes(STATE));
    expect((await failure(openModel(folder))).message).toContain("it was written by another architecture");
    rmSync(join(folder, MODEL));
    expect((await failure(openModel(folder))).message).toContain("holds no model yet");

    writeFileSync(join(folder, "config.json"), "{ not JSON");
    expect((await failure(openModel(folder))).message).toContain('config.json" is damaged: it is not JSON');
    writeFileSync(join(folder, "config.json"), "{}");
    const error = await failure(openModel(folder));
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toContain("is no language model run of this version");
  });
});
