import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, int32, numbers } from "../../test/close.js";
import { TOLERANCES } from "../../test/tolerances.js";
import {
  type ToyBatch,
  type ToyCarry,
  type ToyParams,
  type ToyProblem,
  toyParams,
  toyProblem,
} from "../../test/toy-problem.js";
import { NonFiniteError, OptionError } from "../core/index.js";
import { adam, bptt, type LearningMethod, sgd, truncatedBptt } from "../learn/index.js";
import { startNodeThread } from "../node/threads.js";
import { broadcastTo, fill, randomKey, zeros } from "../ops/index.js";
import { provideThreads, type StartThread } from "../runtime/index.js";
import type { FloatDType, TensorTree } from "../tensor/index.js";
import { initialState, type TrainOptions, type TrainReport, type TrainState, train, updatePlans } from "./index.js";
import { addShards, joinShards, takeShard } from "./shards.js";

describe("takeShard", () => {
  test("takes neighbouring sequences of every tensor, along either axis", () => {
    const xs = f64(
      Array.from({ length: 24 }, (_, k) => k),
      [2, 4, 3],
    );
    const mask = int32([0, 1, 2, 3, 4, 5, 6, 7], [2, 4]);
    expect(takeShard({ xs, mask }, 1, 1, 2)).toEqual({
      xs: f64([6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23], [2, 2, 3]),
      mask: int32([2, 3, 6, 7], [2, 2]),
    });
    expect(takeShard({ h: int32([0, 1, 2, 3, 4, 5, 6, 7], [4, 2]) }, 0, 2, 4)).toEqual({ h: int32([4, 5], [1, 2]) });
  });

  test("is undone by joinShards", () => {
    const carry = { h: numbers(1, [6, 2, 3], "float32"), deep: [int32([1, 2, 3, 4, 5, 6])] };
    for (const shards of [1, 2, 3, 6]) {
      const parts = Array.from({ length: shards }, (_, shard) => takeShard(carry, 0, shard, shards));
      expect(joinShards(parts)).toEqual(carry);
    }
  });

  test("copies: what becomes of a shard is not seen in the whole", () => {
    const whole = f64([1, 2], [1, 2]);
    takeShard(whole, 1, 0, 2).data[0] = 5;
    expect(whole.data[0]).toBe(1);
  });

  test("of no tensors, or of sequences of no steps, is the like", () => {
    expect(takeShard([], 0, 0, 3)).toEqual([]);
    expect(takeShard(zeros([0, 4, 2]), 1, 1, 2).shape).toEqual([0, 2, 2]);
    expect(joinShards([[], []])).toEqual([]);
  });

  test("refuses what has no equal shards", () => {
    for (const [shape, axis] of [
      [[2, 5, 3], 1],
      [[2, 0, 3], 1],
      [[5, 4], 0],
      [[2], 1],
    ] as const) {
      expect(() => takeShard(zeros(shape), axis, 0, 2)).toThrow(OptionError);
    }
    expect(() => takeShard(zeros([2, 5, 3]), 1, 0, 2)).toThrow(
      "train: float32[2,5,3] cannot be cut into 2 equal shards along axis 1; choose a batch size that is a multiple of shards",
    );
  });
});

describe("addShards", () => {
  const shard = (gradient: number, total: number, count: number) => ({
    gradient: { w: f64([gradient]) },
    loss: { total: f64([total], []), count: f64([count], []) },
  });

  test("weighs each gradient by the steps that it is the average of", () => {
    expect(addShards([shard(4, 10, 1), shard(8, 20, 3)])).toEqual({
      gradient: { w: f64([7]) },
      loss: { total: f64([30], []), count: f64([4], []) },
    });
  });

  test("of nothing that counts is no gradient", () => {
    expect(addShards([shard(0, 0, 0), shard(0, 0, 0)]).gradient).toEqual({ w: f64([0]) });
  });
});

/** Threads that were started, and those of them that were ended. */
const threadCount = { started: 0, ended: 0 };
const countedThread: StartThread = (script, listener) => {
  const thread = startNodeThread(script, listener);
  threadCount.started++;
  const end = () => {
    threadCount.ended++;
    thread.end();
  };
  return { ...thread, end };
};
beforeAll(() => provideThreads(countedThread));
afterAll(() => provideThreads(undefined));

type ToyOptions = TrainOptions<ToyParams, ToyCarry, ToyBatch>;

const [TIME, BATCH] = [5, 4];
/** Steps that count in each sequence. The last two have none: of two shards, one is empty for half of the updates. */
const LENGTHS = [
  [5, 5, 5, 5],
  [5, 3, 1, 4],
  [4, 2, 0, 0],
  [0, 0, 0, 3],
];

const flags = (isSet: (time: number, row: number) => boolean) =>
  int32(
    Array.from({ length: TIME * BATCH }, (_, k) => (isSet(Math.floor(k / BATCH), k % BATCH) ? 1 : 0)),
    [TIME, BATCH],
  );

const batchOf =
  (dtype: FloatDType) =>
  (update: number): ToyBatch => ({
    xs: numbers(10 + update, [TIME, BATCH, 2], dtype),
    targets: numbers(50 + update, [TIME, BATCH, 2], dtype),
    mask: flags((time, row) => time < LENGTHS[update % LENGTHS.length]![row]!),
    resetMask: flags((time, row) => time === row && update % 2 === 1),
  });

function toyRun(dtype: FloatDType, changes: Partial<ToyOptions>): ToyOptions {
  const options = {
    problem: toyProblem() as ToyProblem,
    optimizer: sgd({ learningRate: 0.1 }),
    batch: batchOf(dtype),
    steps: 6,
    ...changes,
  };
  return { state: initialState({ ...options, params: toyParams(dtype), key: randomKey(7) }), ...options };
}

type Numbers = Omit<TrainReport<ToyParams>, "state">;

async function runAll(options: ToyOptions): Promise<{ reports: Numbers[]; state: TrainState<ToyParams> }> {
  const reports: Numbers[] = [];
  const iterator = train(options);
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return { reports, state: next.value };
    const { state: _, ...report } = next.value;
    reports.push(report);
  }
}

/** What a run leaves, as a tree. */
const resultOf = ({ params, optimizer, method }: TrainState<ToyParams>): TensorTree => [params, optimizer, method];

const lossesOf = (reports: readonly Numbers[]) =>
  f64(reports.flatMap(({ loss, gradientNorm, tokens }) => [loss, gradientNorm, tokens]));

const METHODS: readonly [string, LearningMethod][] = [
  ["bptt", bptt()],
  ["truncatedBptt, its state carried on", truncatedBptt()],
  ["truncatedBptt, cut in a window", truncatedBptt({ truncationLength: 2 })],
];

describe.each(METHODS)("training in shards by %s", (_, method) => {
  test.each(["float64", "float32"] as const)(
    "is training on the whole batch, ragged ones too, in %s",
    async (dtype) => {
      const whole = await runAll(toyRun(dtype, { method }));
      expect(whole.reports.map(({ tokens }) => tokens)).toEqual([20, 13, 6, 3, 20, 13]);
      for (const shards of [2, 4]) {
        const { reports, state } = await runAll(toyRun(dtype, { method, shards }));
        expectClose(lossesOf(reports), lossesOf(whole.reports), TOLERANCES[dtype]);
        expectClose(resultOf(state), resultOf(whole.state), TOLERANCES[dtype]);
      }
    },
  );

  test("gives the same bits on any number of threads", async () => {
    const optimizer = adam({ learningRate: 0.02 });
    const problem = toyProblem(0.3);
    for (const shards of [2, 4]) {
      const one = await runAll(toyRun("float32", { method, optimizer, problem, shards }));
      for (const threads of [1, 2, 3, 9]) {
        const before = threadCount.started;
        const several = await runAll(toyRun("float32", { method, optimizer, problem, shards, threads }));
        expect(threadCount.started - before).toBe(threads === 1 ? 0 : Math.min(threads, shards));
        expect(several.reports).toEqual(one.reports);
        expectSame(resultOf(several.state), resultOf(one.state));
      }
    }
  });

  test("needs a batch size that is a multiple", async () => {
    await expect(runAll(toyRun("float32", { method, shards: 3 }))).rejects.toThrow(OptionError);
    await expect(runAll(toyRun("float32", { method, shards: 3 }))).rejects.toThrow(
      /cannot be cut into 3 equal shards along axis [01]; choose a batch size that is a multiple of shards/,
    );
  });

  test("has two Plans: one for each shard, and one for the rest", () => {
    const plans = updatePlans(toyRun("float32", { method, shards: 4 }));
    expect(plans.map(({ copies }) => copies)).toEqual([4, 1]);
    const loops = plans.map(({ plan }) => plan.instructions.filter(({ kind }) => kind === "loop").length);
    expect(loops[0]).toBeGreaterThan(0);
    expect(loops[1]).toBe(0);
    expect(updatePlans(toyRun("float32", { method })).map(({ copies }) => copies)).toEqual([1]);
  });
});

test("shards draw random numbers of their own", async () => {
  // All sequences are alike, so only what is random can make a shard's loss another one.
  const row = <T extends TensorTree>(tree: T): T => takeShard(tree, 1, 0, BATCH);
  const alike = (): ToyBatch => {
    const { xs, targets } = batchOf("float64")(0);
    const repeat = (x: typeof xs) => broadcastTo(row(x), x.shape);
    return { xs: repeat(xs), targets: repeat(targets), mask: flags(() => true), resetMask: flags(() => false) };
  };
  const lossOf = async (rate: number, shards: number, batch: () => ToyBatch) => {
    const { reports } = await runAll(toyRun("float64", { problem: toyProblem(rate), batch, steps: 1, shards }));
    return reports[0]!.loss;
  };
  expect(await lossOf(0, 4, alike)).toBeCloseTo(await lossOf(0, 1, () => row(alike())), 12);
  const first = await lossOf(0.5, 4, alike);
  expect(first).not.toBeCloseTo(await lossOf(0.5, 1, () => row(alike())), 6);
  expect(await lossOf(0.5, 4, alike)).toBe(first);
});

/** The right batch first, then another. */
const then = (second: ToyBatch) => (update: number) => (update === 0 ? batchOf("float32")(0) : second);
const odd = takeShard(batchOf("float32")(1), 1, 0, BATCH);
const wild = { ...batchOf("float32")(1), xs: fill([TIME, BATCH, 2], Number.NaN) };

test.each([
  ["its end", {}, undefined],
  ["an aborted signal", { signal: AbortSignal.abort() }, undefined],
  ["a batch that cannot be cut", { batch: then(odd) }, OptionError],
  ["a loss that is not finite", { batch: then(wild) }, NonFiniteError],
])("no thread is left after %s", async (_, changes, error) => {
  const { started } = threadCount;
  const run = runAll(toyRun("float32", { ...changes, shards: 4, threads: 2 }));
  await (error ? expect(run).rejects.toThrow(error) : run);
  expect(threadCount.started).toBe(started + 2);
  await Promise.resolve();
  expect(threadCount.ended).toBe(threadCount.started);
});
