/** Threads of the WebAssembly kernels: where they come from, and what is told when they cannot be had. What they compute: kernels.test.ts. */

import { afterEach, expect, test, vi } from "vitest";
import { KernelError, MemoryError } from "../../core/index.js";
import { startNodeThread } from "../../node/threads.js";
import { add, fill, matmul, tanh } from "../../ops/index.js";
import { HostTensor, type Tensor } from "../../tensor/index.js";
import {
  compileTogether,
  type Kernels,
  provideThreads,
  referenceKernels,
  type StartThread,
  type ThreadListener,
  wasmKernels,
  whyNoThreads,
} from "../index.js";
import { runPlans, type ThreadAnswer } from "./crew-script.js";

const { kernels } = wasmKernels() as { kernels: Kernels };
const f = (w: Tensor, x: Tensor) => tanh(matmul(x, w));
const calls = [0.1, 0.2, 0.3].map((value): [Tensor, Tensor] => [fill([2, 2], 0.5), fill([1, 2], value)]);
const expected = [0.1, 0.2, 0.3].map((value) => Array(2).fill(Math.fround(Math.tanh(value))));
const numbersOf = (results: readonly Tensor[]) => results.map(({ data }) => [...data]);
const expectRight = (results: readonly Tensor[]) =>
  numbersOf(results).forEach((numbers, call) => {
    for (const [k, number] of numbers.entries()) expect(number).toBeCloseTo(expected[call]![k] as number, 6);
  });

afterEach(() => {
  provideThreads(undefined);
  vi.unstubAllGlobals();
});

/** Real threads from now on. Returns the lengths of the arrays that are given to them, message by message. */
function watchedThreads(): number[][] {
  const given: number[][] = [];
  provideThreads((script, listener) => {
    const thread = startNodeThread(script, listener);
    const post: typeof thread.post = (message, transfer) => {
      given.push(transfer.map(({ byteLength }) => byteLength / 4));
      thread.post(message, transfer);
    };
    return { ...thread, post };
  });
  return given;
}

/** A thread that answers as it is told: first that it runs, then `reply` to every message. */
const answering =
  (reply: (listener: ThreadListener) => void): StartThread =>
  (_, listener) => {
    queueMicrotask(() => listener.onMessage("running"));
    return { post: () => queueMicrotask(() => reply(listener)), end: () => {} };
  };

test("threads copy no more than the numbers of a tensor, and read what a view shows", async () => {
  const given = watchedThreads();
  const together = compileTogether((x: Tensor) => add(x, 1), { kernels, threads: 2 });
  const large = new Float32Array(10_000).fill(7);
  const views = [1, 2].map((at): [Tensor] => [
    new HostTensor({ dtype: "float32", shape: [3] }, large.subarray(at, at + 3).fill(at)),
  ]);
  expect(numbersOf(await together.later(views))).toEqual([
    [2, 3, 3],
    [3, 3, 3],
  ]);
  await together.later(views);
  expect(given.slice(2)).toEqual([[3], [3]]);
  expect(large.byteLength).toBe(40_000);
  together.end();
});

test("what calls on one thread share goes there once", async () => {
  const given = watchedThreads();
  const together = compileTogether(f, { kernels, threads: 2 });
  const weight = fill([2, 2], 0.5);
  const sharing = [...calls, ...calls].map(([, x]): [Tensor, Tensor] => [weight, x]);
  await together.later(sharing);
  expectRight((await together.later(sharing)).slice(0, 3));
  expect(given.slice(2)).toEqual([
    [4, 2, 2, 2],
    [4, 2, 2, 2],
  ]);
  together.end();
});

test("a process does not wait for threads that have nothing to do", async () => {
  provideThreads(startNodeThread);
  const waited = () => process.getActiveResourcesInfo().filter((name) => /Worker|MessagePort/.test(name)).length;
  await vi.waitFor(() => expect(waited()).toBe(0)); // those of other tests are ending
  const together = compileTogether(f, { kernels, threads: 2 });
  const running = together.later(calls);
  await vi.waitFor(() => expect(waited()).toBeGreaterThan(0), { interval: 0 });
  await running;
  expect(waited()).toBe(0);
  together.end();
});

test("threads that were ended are started anew when they are needed; what they still ran fails", async () => {
  let started = 0;
  provideThreads((script, listener) => {
    started++;
    return startNodeThread(script, listener);
  });
  const together = compileTogether(f, { kernels, threads: 2 });
  for (const count of [2, 4]) {
    expectRight(await together.later(calls));
    together.end();
    expect(started).toBe(count);
  }
  await together.later(calls);
  const running = together.later(calls);
  together.end();
  await expect(running).rejects.toThrow(KernelError);
});

test("where threads cannot be started, calls run one after the other, and the reason is told", async () => {
  const refusals: [StartThread | undefined, string][] = [
    [undefined, "this JavaScript engine has no Workers"],
    [
      () => {
        throw new Error("not today");
      },
      "not today",
    ],
    [
      (_, listener) => {
        queueMicrotask(() => listener.onError("not allowed"));
        return { post: () => {}, end: () => {} };
      },
      "not allowed",
    ],
  ];
  for (const [start, reason] of refusals) {
    provideThreads(start);
    expect(await whyNoThreads(kernels)).toBe(reason);
    const together = compileTogether(f, { kernels, threads: 2 });
    for (let run = 0; run < 2; run++) expectRight(await together.later(calls));
    together.end();
  }
  expect(await whyNoThreads(referenceKernels)).toBe("the reference kernels have no threads");
  provideThreads(startNodeThread);
  expect(await whyNoThreads(kernels)).toBeUndefined();
});

test("in a browser threads are Workers, and a page that may not have them says what it must allow", async () => {
  class Refused {
    onerror: ((event: { message?: string }) => void) | undefined;
    constructor() {
      queueMicrotask(() => this.onerror?.({}));
    }
    terminate() {}
  }
  vi.stubGlobal("Worker", Refused);
  expect(await whyNoThreads(kernels)).toBe(
    "the page may not start Workers; its Content-Security-Policy must allow worker-src blob:",
  );
});

test("threads know several Plans; those of other kernels do not go to them", async () => {
  provideThreads(startNodeThread);
  const together = compileTogether((x: Tensor) => add(x, 1), { kernels, threads: 2 });
  const types = [
    [1, "float32"],
    [1, "float64"],
    [3, "float32"],
    [1, "int32"],
    [1, "float32"],
  ] as const;
  for (const [length, dtype] of types) {
    const results = await together.later([1, 2, 3].map((value): [Tensor] => [fill([length], value, dtype)]));
    expect(numbersOf(results)).toEqual([2, 3, 4].map((value) => Array(length).fill(value)));
  }
  together.end();
});

test("a thread without memory enough, and one that is lost, are errors", async () => {
  const together = compileTogether(f, { kernels, threads: 2 });
  provideThreads(answering(({ onMessage }) => onMessage("out of memory" satisfies ThreadAnswer)));
  const outOfMemory = together.later(calls);
  await expect(outOfMemory).rejects.toThrow(MemoryError);
  await expect(outOfMemory).rejects.toThrow(
    /^WebAssembly kernels: 0 MiB of memory are needed, and there is not so much/,
  );
  together.end();
  provideThreads(answering(({ onError }) => onError("killed")));
  for (let run = 0; run < 2; run++) {
    const lost = together.later(calls);
    await expect(lost).rejects.toThrow(
      new KernelError("WebAssembly kernels: a thread is lost: killed; use fewer threads or smaller batches"),
    );
  }
});

test("a thread whose memory cannot be had says so", () => {
  const said: unknown[] = [];
  const port: Parameters<typeof runPlans>[0] = { onmessage: null, postMessage: (message) => said.push(message) };
  runPlans(port);
  const plan = { module: undefined as never, pages: 70_000, pieces: [], run: [0, 0, 0, 0] as const, outputs: [] };
  port.onmessage?.({ data: { id: 0, plan, calls: [] } });
  expect(said).toEqual(["running", "out of memory"]);
});
