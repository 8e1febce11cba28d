import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { expectSame } from "../../test/close.js";
import {
  type ToyBatch,
  type ToyCarry,
  type ToyParams,
  type ToyProblem,
  toyParams,
  toyProblem,
  toyWindow,
} from "../../test/toy-problem.js";
import { NonFiniteError, OptionError } from "../core/index.js";
import { adam, bptt, clipByNorm, type GradientTransform, globalNorm, sgd, truncatedBptt } from "../learn/index.js";
import { averageLoss } from "../nn/index.js";
import { multiply, randomKey, subtract } from "../ops/index.js";
import { mapTensors, tensorsByPath, toNumber } from "../tensor/index.js";
import { valueAndGrad } from "../transforms/index.js";
import {
  decodeState,
  encodeState,
  initialState,
  type TrainOptions,
  type TrainReport,
  type TrainState,
  train,
  updatePlans,
} from "./index.js";

type ToyOptions = TrainOptions<ToyParams, ToyCarry, ToyBatch>;
type ToyReport = TrainReport<ToyParams>;

/** Windows of 4 steps, made once each. */
const windows = new Map<number, ToyBatch>();
const batch = (update: number): ToyBatch => {
  const known = windows.get(update) ?? toyWindow(update * 4, update * 4 + 4, "float32");
  windows.set(update, known);
  return known;
};

/** A toy run; everything can be changed. */
function toyRun(changes: Partial<ToyOptions> = {}): ToyOptions {
  const options = {
    problem: toyProblem(),
    optimizer: adam({ learningRate: 0.02 }),
    method: truncatedBptt(),
    batch,
    steps: 20,
    ...changes,
  };
  return {
    state: initialState({ ...options, params: toyParams("float32"), key: randomKey(7) }),
    ...options,
  };
}

/** All reports, and the state at the end. */
async function runAll(options: ToyOptions): Promise<{ reports: ToyReport[]; state: TrainState<ToyParams> }> {
  const reports: ToyReport[] = [];
  const iterator = train(options);
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return { reports, state: next.value };
    reports.push(next.value);
  }
}

/** Runs until it fails; what it reported before, and the states then. */
async function failing(
  options: ToyOptions,
): Promise<{ reports: ToyReport[]; states: TrainState<ToyParams>[]; error: Error }> {
  const reports: ToyReport[] = [];
  const states: TrainState<ToyParams>[] = [];
  try {
    for await (const report of train(options)) {
      reports.push(report);
      states.push(decodeState(encodeState(report.state), options.state, "state"));
    }
  } catch (error) {
    return { reports, states, error: error as Error };
  }
  return expect.unreachable("it should have failed");
}

const isFiniteState = (state: TrainState<ToyParams>): boolean =>
  tensorsByPath([state.params, state.optimizer, state.method]).every(([, { data }]) => data.every(Number.isFinite));

describe("train", () => {
  test("reports every update in order: its loss, the average, the norm of the gradient and the count", async () => {
    const options = toyRun({ steps: 30, transforms: [clipByNorm(0.01)] });
    const { reports, state } = await runAll(options);
    expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    let average = 0;
    for (const { step, loss, averageLoss: reported, tokens, gradientNorm, state: _, ...rest } of reports) {
      average += Math.max(1 / step, 0.05) * (loss - average);
      expect(reported).toBeCloseTo(average, 12);
      expect(tokens).toBe(8);
      expect(gradientNorm).toBeGreaterThan(0);
      expect(rest).toEqual({});
    }
    expect(state.progress).toEqual({ step: 30, averageLoss: reports.at(-1)!.averageLoss });

    // The first report by hand: the loss before the update, the norm before clipping.
    const { value, gradient } = valueAndGrad((params: ToyParams) =>
      averageLoss(options.problem.loss(params, options.problem.initialCarry(batch(0)), batch(0)).loss),
    )(toyParams("float32"));
    expect(reports[0]!.loss).toBeCloseTo(toNumber(value), 6);
    expect(reports[0]!.gradientNorm).toBeCloseTo(toNumber(globalNorm(gradient)), 6);
  });

  test("makes the loss fall", async () => {
    const { reports } = await runAll(toyRun({ steps: 250 }));
    const mean = (values: readonly ToyReport[]) => values.reduce((sum, { loss }) => sum + loss, 0) / values.length;
    expect(mean(reports.slice(-30))).toBeLessThan(0.4 * mean(reports.slice(0, 30)));
  });

  test("applies gradient transforms in order, before the optimizer", async () => {
    const optimizer = sgd({ learningRate: 1 });
    const scale =
      (factor: number): GradientTransform =>
      (gradient) =>
        mapTensors((leaf) => multiply(leaf, factor), gradient);
    const lengthOfStep = async (transforms: readonly GradientTransform[]): Promise<number> => {
      const { state } = await runAll(toyRun({ steps: 1, optimizer, transforms }));
      return toNumber(globalNorm(mapTensors(subtract, state.params, toyParams("float32"))));
    };
    const plain = await lengthOfStep([]);
    expect(plain).toBeGreaterThan(0.1);
    expect((await lengthOfStep([scale(0.5)])) / plain).toBeCloseTo(0.5, 4);
    expect(await lengthOfStep([scale(0.5), clipByNorm(0.01)])).toBeCloseTo(0.01, 6);
    expect(await lengthOfStep([clipByNorm(0.01), scale(0.5)])).toBeCloseTo(0.005, 6);
  });

  test("does not change the state that it is given", async () => {
    const options = toyRun();
    const before = encodeState(options.state);
    await runAll(options);
    expect(encodeState(options.state)).toEqual(before);
    const [first, second] = [await runAll(options), await runAll(options)];
    expect(encodeState(first.state)).toEqual(encodeState(second.state));
  });

  test("reuses the memory of parameters, optimizer and method for every update, without sharing any", async () => {
    const memories: unknown[][] = [];
    for await (const { state } of train(toyRun())) {
      const { params, optimizer, method } = state;
      memories.push(tensorsByPath([params, optimizer, method]).map(([, { data }]) => data.buffer));
    }
    const first = new Set(memories[0]);
    expect(first.size).toBe(memories[0]!.length);
    for (const memory of memories) expect(memory.every((buffer) => first.has(buffer))).toBe(true);
  });

  test("needs no more memory after 300 updates than after 50", async () => {
    // Node has no `gc` without a flag; it can still be had, so that garbage does not count as growth.
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const used: number[] = [];
    const few = Array.from({ length: 4 }, (_, update) => batch(update));
    for await (const { step } of train(toyRun({ steps: 300, batch: (update) => few[update % 4]! }))) {
      if (step !== 50 && step !== 300) continue;
      collect();
      used.push(process.memoryUsage().arrayBuffers);
    }
    expect(used[1]! - used[0]!).toBeLessThan(16 * 1024);
  });

  test("traces the problem once for all updates", async () => {
    let traces = 0;
    const problem = toyProblem();
    const counted: ToyProblem = {
      ...problem,
      loss: (...args) => {
        traces += 1;
        return problem.loss(...args);
      },
    };
    await runAll(toyRun({ problem: counted }));
    expect(traces).toBe(1);
  });

  test("gives timers their turn during a long run", async () => {
    let fired = 0;
    const timer = setInterval(() => {
      fired += 1;
    }, 0);
    const started = performance.now();
    await runAll(toyRun({ steps: 200 }));
    clearInterval(timer);
    // At least every 30 ms, with room for a slow machine.
    expect(fired).toBeGreaterThan((performance.now() - started) / 150);
  });

  test("refuses options that make no sense", async () => {
    const measure = () => 0;
    const wrong: [Partial<ToyOptions>, string][] = [
      [{ steps: 0 }, "train: steps must be a whole number of at least 1, but is 0"],
      [{ validation: { every: 0, measure } }, "validation.every must be a whole number of at least 1"],
      [{ validation: { every: 1, measure, patience: 0 } }, "validation.patience must be a whole number of at least 1"],
      [
        { checkpoints: { everySeconds: -1, save: async () => {} } },
        "checkpoints.everySeconds must be a number at least",
      ],
    ];
    for (const [changes, sentence] of wrong) {
      const { error } = await failing(toyRun(changes));
      expect(error).toBeInstanceOf(OptionError);
      expect(error.message).toContain(sentence);
    }
    const { state } = await runAll(toyRun({ steps: 3 }));
    const { error } = await failing(toyRun({ steps: 2, state }));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toBe("train: 3 updates are already made, more than steps = 2; raise steps");
  });
});

describe("resuming", () => {
  test.each([
    ["without dropout", 0],
    ["with dropout", 0.4],
  ])("8 updates, a checkpoint and 12 more equal 20 bit for bit, %s", async (_, rate) => {
    const validation = { every: 4, measure: ({ readout }: ToyParams) => readout.bias.data[0]! };
    const changes = { problem: toyProblem(rate), validation };
    const unbroken = await runAll(toyRun(changes));
    // The measurement after the last update of a run comes off its beat, so the first half ends on it.
    const half = await runAll(toyRun({ ...changes, steps: 8 }));
    const bytes = encodeState(half.state);
    const resumed = await runAll(toyRun({ ...changes, state: decodeState(bytes, toyRun(changes).state, "state") }));
    const numbers = ({ state: _, ...report }: ToyReport) => report;
    expect(resumed.reports.map(numbers)).toEqual(unbroken.reports.slice(8).map(numbers));
    expect(resumed.state.progress).toEqual(unbroken.state.progress);
    expect(encodeState(resumed.state)).toEqual(encodeState(unbroken.state));
    expectSame(resumed.state.params, unbroken.state.params);
  });

  test("dropout draws other numbers at every update, from the key of the run", async () => {
    const losses = async (key: number) => {
      // Nothing else changes from update to update.
      const options = toyRun({
        problem: toyProblem(0.5),
        method: bptt(),
        optimizer: sgd({ learningRate: 1e-30 }),
        batch: () => batch(0),
      });
      const { reports } = await runAll({ ...options, state: { ...options.state, key: randomKey(key) } });
      return reports.map(({ loss }) => loss);
    };
    const [one, again, other] = [await losses(1), await losses(1), await losses(2)];
    expect(one).toEqual(again);
    expect(one).not.toEqual(other);
    expect(new Set(one).size).toBeGreaterThan(15);
  });

  test("a finished run has nothing left to do", async () => {
    const { state } = await runAll(toyRun());
    const again = await runAll(toyRun({ state }));
    expect(again.reports).toEqual([]);
    expect(encodeState(again.state)).toEqual(encodeState(state));
  });
});

/** Validation with losses from a list, one per measurement. */
const scripted = (losses: readonly number[]) => {
  const left = [...losses];
  return () => left.shift()!;
};

describe("validation", () => {
  test("is measured every so many updates and after the last, and marks each new best", async () => {
    const { reports, state } = await runAll(
      toyRun({ steps: 10, validation: { every: 3, measure: scripted([3, 1, 2, 0.5]) } }),
    );
    const measured = reports.flatMap(({ step, validationLoss, isBest }) =>
      validationLoss === undefined ? [] : [[step, validationLoss, isBest]],
    );
    expect(measured).toEqual([
      [3, 3, true],
      [6, 1, true],
      [9, 2, false],
      [10, 0.5, true],
    ]);
    expect(state.progress).toMatchObject({ bestValidationLoss: 0.5, bestStep: 10 });
  });

  test("measures the parameters after the update", async () => {
    const seen: number[] = [];
    const measure = (params: ToyParams) => seen.push(params.readout.bias.data[0]!);
    const { state } = await runAll(toyRun({ steps: 2, validation: { every: 1, measure } }));
    expect(seen[1]).toBe(state.params.readout.bias.data[0]);
    expect(seen[0]).not.toBe(seen[1]);
  });

  test("stops early when there was no new best for `patience` measurements, also across a resume", async () => {
    const losses = [5, 4, 4.5, 4.2, 4.1, 1];
    const validation = { every: 2, patience: 3, measure: scripted(losses) };
    const saved: number[] = [];
    const checkpoints = {
      everySeconds: 1000,
      save: async ({ progress }: { progress: { step: number } }) => void saved.push(progress.step),
    };
    const { reports, state } = await runAll(toyRun({ steps: 40, validation, checkpoints }));
    expect(reports.length).toBe(10);
    expect(reports.map(({ stopped }) => stopped).filter(Boolean)).toEqual(["early"]);
    expect(reports.at(-1)).toMatchObject({ step: 10, stopped: "early", validationLoss: 4.1, isBest: false });
    expect(state.progress).toMatchObject({ step: 10, bestStep: 4, bestValidationLoss: 4 });
    expect(saved).toEqual([10]);

    const first = await runAll(toyRun({ steps: 6, validation: { every: 2, patience: 3, measure: scripted(losses) } }));
    expect(first.reports.length).toBe(6);
    const rest = { every: 2, patience: 3, measure: scripted(losses.slice(3)) };
    const second = await runAll(toyRun({ steps: 40, state: first.state, validation: rest }));
    expect(second.reports.at(-1)).toMatchObject({ step: 10, stopped: "early" });
  });

  test("a measurement that is no number is never the best", async () => {
    const { reports, state } = await runAll(
      toyRun({ steps: 3, validation: { every: 1, measure: scripted([Number.NaN, 2, Number.NaN]) } }),
    );
    expect(reports.map(({ isBest }) => isBest)).toEqual([false, true, false]);
    expect(decodeState(encodeState(state), state, "state").progress).toMatchObject({
      bestStep: 2,
      bestValidationLoss: 2,
    });
  });
});

describe("checkpoints", () => {
  test("are saved after the report of their update, when they are due and at the end", async () => {
    const eventsWith = async (everySeconds: number) => {
      const events: string[] = [];
      const save = async ({ progress }: TrainState<ToyParams>) => void events.push(`save ${progress.step}`);
      for await (const { step } of train(toyRun({ steps: 30, checkpoints: { everySeconds, save } }))) {
        events.push(`report ${step}`);
      }
      return events;
    };
    const reports = Array.from({ length: 30 }, (_, index) => `report ${index + 1}`);
    expect(await eventsWith(1000)).toEqual([...reports, "save 30"]);
    const often = await eventsWith(0);
    expect(often.filter((event) => event.startsWith("report"))).toEqual(reports);
    expect(often.slice(0, 2)).toEqual(["report 1", "save 1"]);
    expect(often.at(-1)).toBe("save 30");
    often.forEach((event, index) => {
      if (event.startsWith("save")) expect(often[index - 1]).toBe(event.replace("save", "report"));
    });
  });

  test("that take long leave most of the time to training", async () => {
    let saves = 0;
    const save = async () => {
      saves += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await runAll(toyRun({ steps: 100, checkpoints: { everySeconds: 0, save } }));
    expect(saves).toBeLessThan(10);
  });

  test("a failing save ends training with its error", async () => {
    const save = () => Promise.reject(new Error("no room"));
    const { error } = await failing(toyRun({ checkpoints: { everySeconds: 0, save } }));
    expect(error.message).toBe("no room");
  });

  test("an abort stops after the running update, saves, and leaves a state to go on from", async () => {
    const abort = new AbortController();
    const saved: Uint8Array[] = [];
    const options = toyRun({
      signal: abort.signal,
      checkpoints: { everySeconds: 1000, save: async (state) => void saved.push(encodeState(state)) },
    });
    const reports: ToyReport[] = [];
    for await (const report of train(options)) {
      reports.push(report);
      if (report.step === 7) abort.abort();
    }
    expect(reports.map(({ stopped }) => stopped)).toEqual([...new Array(7).fill(undefined), "aborted"]);
    expect(saved.length).toBe(1);
    const state = decodeState(saved[0]!, options.state, "state");
    expect(state.progress.step).toBe(8);
    const [resumed, unbroken] = [await runAll(toyRun({ state })), await runAll(toyRun())];
    expect(encodeState(resumed.state)).toEqual(encodeState(unbroken.state));
  });

  test("an abort during the last update changes nothing: the run is complete", async () => {
    const { reports } = await runAll(toyRun({ steps: 1, signal: AbortSignal.abort() }));
    expect(reports.map(({ step, stopped }) => [step, stopped])).toEqual([[1, undefined]]);
  });
});

describe("numbers that are not finite", () => {
  /** Batches of which one holds a NaN. */
  const poisoned =
    (bad: number) =>
    (update: number): ToyBatch => {
      if (update !== bad) return batch(update);
      const window = toyWindow(update * 4, update * 4 + 4, "float32");
      window.xs.data[3] = Number.NaN;
      return window;
    };

  test("in a batch end training, naming the update and the tensor; what was saved and reported is finite", async () => {
    const { reports, states, error } = await failing(toyRun({ batch: poisoned(5) }));
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toContain("at update 6; the first tensor that is not finite is batch xs.");
    expect(error.message).toContain("The update was not made. Lower the learning rate, clip the gradient, or look at");
    expect(reports.length).toBe(5);
    expect(states.every(isFiniteState)).toBe(true);
  });

  test.each([1e30, 1e36, 1e38, 3e38])(
    "a learning rate of %f ends training, and no state ever holds them",
    async (rate) => {
      for (const optimizer of [sgd({ learningRate: rate }), adam({ learningRate: rate })]) {
        const { reports, error, states } = await failing(toyRun({ optimizer }));
        expect(error).toBeInstanceOf(NonFiniteError);
        expect(error.message).toMatch(
          new RegExp(`at update ${reports.length + 1}; the first tensor that is not finite is `),
        );
        expect(states.every(isFiniteState)).toBe(true);
      }
    },
  );

  test("after the update only, in a parameter, stop that update and name the parameter", async () => {
    const { reports, error } = await failing(toyRun({ steps: 1, optimizer: sgd({ learningRate: 1e39 }) }));
    expect(reports).toEqual([]);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toMatch(/^the loss is 0\.\d+ at update 1; .* is the new value of parameter cell\.bias\. The/);
  });

  test("in the norm of the gradient only are named as that", async () => {
    const problem = toyProblem();
    const steep: ToyProblem = {
      ...problem,
      loss: (...args) => {
        const { loss, carry } = problem.loss(...args);
        return { loss: { ...loss, total: multiply(loss.total, 1e25) }, carry };
      },
    };
    const { error } = await failing(toyRun({ problem: steep }));
    expect(error.message).toContain("the first tensor that is not finite is the norm of the gradient");
  });
});

test("the plan of an update is one for all lengths of a run, and tells its memory", () => {
  const [{ plan, copies }, ...others] = updatePlans(toyRun({ steps: 3 })) as [ReturnType<typeof updatePlans>[number]];
  expect(others).toEqual([]);
  expect(copies).toBe(1);
  expect(plan.arenaBytes).toBeGreaterThan(0);
  expect(updatePlans(toyRun({ steps: 300 }))[0]!.plan.arenaBytes).toBe(plan.arenaBytes);
  expect(plan.instructions.filter(({ kind }) => kind === "loop").length).toBe(2);
});
