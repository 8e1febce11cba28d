import { describe, expect, test } from "vitest";
import { NonFiniteError, OptionError } from "../core/index.js";
import type { Experiment, Figure, Figures } from "./experiment.js";
import { experimentSettings, runSeed, type SeedResult, summarize } from "./run-experiment.js";

/** An experiment whose figures are told by the seed, after so many points of progress. */
function toy(figuresOf: (seed: number) => Figures, points = 4): Experiment & { ended: boolean } {
  const own = {
    id: "toy",
    title: "A toy",
    source: { authors: "Nobody", year: 2000, title: "Nothing", where: "nowhere" },
    figures: {
      error: { name: "the error", paper: 0.25, aim: { below: 0.5 } },
      gain: { name: "the gain", aim: { from: 2 } },
      other: { name: "something else" },
    },
    error: "error",
    cells: ["plain", "other"],
    ended: false as boolean,
    async *run({ seed, effort }: { seed: number; effort: number }) {
      try {
        for (let k = 1; k <= points; k++) yield { done: k / points, error: (effort * seed) / k };
        return figuresOf(seed);
      } finally {
        own.ended = true;
      }
    },
  } satisfies Experiment & { ended: boolean };
  return own;
}

const result = (seed: number, figures: Figures): SeedResult => ({
  seed,
  success: false,
  figures,
  curve: [],
  seconds: 2,
});

describe("runSeed", () => {
  test("gives the figures, the curve, and success if all figures with an aim lie inside it", async () => {
    const run = async (error: number, gain: number) =>
      (
        await runSeed(
          toy(() => ({ error, gain, other: Number.NaN })),
          6,
        )
      )?.success;
    expect(await run(0.4, 2)).toBe(true);
    expect(await run(0.5, 2)).toBe(false);
    expect(await run(0.4, 1.9)).toBe(false);
    expect(await run(Number.NaN, 2)).toBe(false);
    const whole = await runSeed(
      toy(() => ({ error: 0, gain: 0, other: 7 })),
      6,
    );
    expect(whole).toMatchObject({ seed: 6, success: false, figures: { error: 0, gain: 0, other: 7 } });
    expect(whole?.curve).toEqual([
      [0.25, 6],
      [0.5, 3],
      [0.75, 2],
      [1, 1.5],
    ]);
  });

  test("keeps a point for each hundredth of a long run, and reports all", async () => {
    let reports = 0;
    const long = await runSeed(
      toy(() => ({}), 300),
      1,
      {},
      { onProgress: () => reports++ },
    );
    expect(reports).toBe(300);
    expect(long?.curve.map(([done]) => Math.round(300 * done))).toEqual([
      1,
      ...Array.from({ length: 100 }, (_, k) => 3 * k + 3),
    ]);
  });

  test("hands on the effort, and stops at a signal after ending the run", async () => {
    const experiment = toy(() => ({}));
    const half = await runSeed(experiment, 8, { effort: 0.5 });
    expect(half?.curve[0]).toEqual([0.25, 4]);
    const abort = new AbortController();
    experiment.ended = false;
    const stopped = await runSeed(experiment, 8, {}, { onProgress: () => abort.abort(), signal: abort.signal });
    expect(stopped).toBeUndefined();
    expect(experiment.ended).toBe(true);
  });

  test("refuses cells, efforts, seeds and options that do not exist", async () => {
    const experiment = toy(() => ({}));
    expect(experimentSettings(experiment)).toEqual({ cell: "plain", effort: 1 });
    expect(experimentSettings(experiment, { cell: "other", effort: 0.1 })).toEqual({ cell: "other", effort: 0.1 });
    expect(() => experimentSettings(experiment, { cell: "othr" })).toThrow(
      'toy cannot be run with the cell "othr"; did you mean other? The choices are plain, other',
    );
    for (const options of [{ effort: 0 }, { effort: 1.1 }, { seeds: 3 } as object])
      expect(() => experimentSettings(experiment, options)).toThrow(OptionError);
    await expect(runSeed(experiment, -1)).rejects.toThrow("seed must be a whole number");
  });

  test("takes the first method where there is a choice, and refuses others, and any where there is none", () => {
    const experiment = { ...toy(() => ({})), methods: ["short", "long"] } satisfies Experiment;
    expect(experimentSettings(experiment)).toEqual({ cell: "plain", method: "short", effort: 1 });
    expect(experimentSettings(experiment, { method: "long" }).method).toBe("long");
    expect(() => experimentSettings(experiment, { method: "lng" })).toThrow(
      'toy cannot be run with the method "lng"; did you mean long? The choices are short, long',
    );
    expect(() =>
      experimentSettings(
        toy(() => ({})),
        { method: "long" },
      ),
    ).toThrow("toy has no choice of methods");
  });
});

test("a run that diverges is a failure with its reason; other errors are errors", async () => {
  const broken = (error: Error) =>
    toy(() => {
      throw error;
    });
  const { failure, success, figures, curve } = (await runSeed(broken(new NonFiniteError("the loss is NaN")), 1)) ?? {};
  expect([failure, success]).toEqual(["the loss is NaN", false]);
  expect(figures).toEqual({ error: Number.NaN, gain: Number.NaN, other: Number.NaN });
  expect(curve?.length).toBe(4);
  await expect(runSeed(broken(new Error("a bug")), 1)).rejects.toThrow("a bug");
});

describe("summarize", () => {
  test("leaves out the figures of failed runs, but counts the runs", () => {
    const runs = [3, Number.NaN, 5].map((error, k) => result(k, { error, gain: Number.NaN, other: 0 }));
    const { seeds, figures } = summarize(
      toy(() => ({})),
      runs,
    );
    expect(seeds).toBe(3);
    expect(figures.error).toEqual({ mean: 4, median: 4, least: 3, most: 5 });
    expect(figures.gain?.median).toBeNaN();
  });

  test("sums up figures of successes over the runs that succeeded alone", () => {
    const runs = [3, 100, 5].map((error, k) => ({ ...result(k, { error, gain: 0, other: 0 }), success: error < 50 }));
    const plain = toy(() => ({}));
    const error = { ...(plain.figures.error as Figure), ofSuccesses: true };
    expect(summarize({ ...plain, figures: { ...plain.figures, error } }, runs).figures.error).toMatchObject({
      mean: 4,
      most: 5,
    });
    expect(summarize(plain, runs).figures.error?.most).toBe(100);
  });

  test("counts successes, and gives mean, median, least and most beside the literature's values", () => {
    const runs = [3, 1, 2, 10].map((error, k) => ({ ...result(k, { error, gain: 5, other: 0 }), success: k > 0 }));
    const summary = summarize(
      toy(() => ({})),
      runs,
    );
    expect(summary).toMatchObject({ seeds: 4, successes: 3, paper: { error: 0.25 }, seconds: 8 });
    expect(summary.figures.error).toEqual({ mean: 4, median: 2.5, least: 1, most: 10 });
    expect(
      summarize(
        toy(() => ({})),
        runs.slice(0, 3),
      ).figures.error?.median,
    ).toBe(2);
  });
});
