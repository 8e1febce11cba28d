import { describe, expect, test } from "vitest";
import { OptionError } from "../core/index.js";
import "../node/index.js"; // the native kernels, where they are built
import { EXPERIMENTS, experimentById } from "./registry.js";
import { runSeed } from "./run-experiment.js";

/** Seconds even for one update: what they are made of is tested by the others, but for the down-sampling; or tested by themselves. */
const LARGE =
  /^(lstm-1997\/.*|reverse-string|adding\/([2-4]00|indrnn-1000)|adding-downsampled|temporal-order\/[12].0|copy-memory\/50)$/;
/** A second or two for one update. */
const MEDIUM = ["date-format", "adding/150", "copy-memory/20"];
const SMALL = EXPERIMENTS.map(({ id }) => id).filter((id) => !LARGE.test(id) && !MEDIUM.includes(id));
const EFFORT = 0.0001;

describe("EXPERIMENTS", () => {
  test("have different ids, and figures of which one has an aim at least", () => {
    expect(new Set(EXPERIMENTS.map(({ id }) => id)).size).toBe(EXPERIMENTS.length);
    for (const { id, figures } of EXPERIMENTS)
      expect(
        Object.values(figures).some(({ aim }) => aim !== undefined),
        id,
      ).toBe(true);
  });

  test.each(SMALL)("%s measures just its figures, the same for the same seed", async (id) => {
    const experiment = experimentById(id);
    const run = (seed: number) => runSeed(experiment, seed, { effort: EFFORT });
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(Object.keys(first?.figures ?? {})).toEqual(Object.keys(experiment.figures));
    expect(Object.values(first?.figures ?? {}).every(Number.isFinite)).toBe(true);
    expect(first?.curve.at(-1)?.[0]).toBe(1);
    expect([again?.figures, again?.curve]).toEqual([first?.figures, first?.curve]);
    expect(other?.curve).not.toEqual(first?.curve);
  });

  test.each(MEDIUM)("%s measures just its figures, with another cell than the first, too", async (id) => {
    const experiment = experimentById(id);
    const result = await runSeed(experiment, 1, { effort: EFFORT, cell: "gru" });
    expect(Object.keys(result?.figures ?? {})).toEqual(Object.keys(experiment.figures));
    expect(Object.values(result?.figures ?? {}).every(Number.isFinite)).toBe(true);
    expect(result?.success).toBe(false);
  });
});

test("temporal-order/50 adds the term that keeps gradients alive to the loss, unless another method is taken", async () => {
  const experiment = experimentById("temporal-order/50");
  const errors = async (method: string) =>
    (await runSeed(experiment, 1, { effort: EFFORT, method }))?.curve.map(([, error]) => error) as number[];
  const [regularized, clipped] = [await errors("regularized"), await errors("clipped")];
  expect(clipped[0]).toBeCloseTo(Math.log(4), 1);
  expect(regularized[0]).toBeGreaterThan((clipped[0] as number) + 0.005);
});

test("an unknown experiment is an error that names the nearest", () => {
  expect(() => experimentById("elman-1990/xro")).toThrow(OptionError);
  expect(() => experimentById("elman-1990/xro")).toThrow("did you mean elman-1990/xor?");
});

test("the window of one word stays at chance where the Elman network knows every city", async () => {
  const result = await runSeed(experimentById("window-baseline"), 1);
  expect(result?.figures).toEqual({ window: 0.5, elman: 1, others: 1 });
  expect(result?.success).toBe(true);
});
