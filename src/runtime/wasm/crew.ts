/**
 * WebAssembly kernels on threads. Each thread has an instance and memory of its own for every Plan that it knows; tensors go to it and come
 * back as copies, so that nothing need be shared, and the caller is free while it computes.
 */

import type { Plan } from "../../compile/index.js";
import { KernelError } from "../../core/index.js";
import { type HostTensor, sizeOf } from "../../tensor/index.js";
import type { Crew } from "../kernels.js";
import { machineError } from "../machine/failure.js";
import { requireMemory } from "../require-memory.js";
import { type HostThread, startThread } from "../threads.js";
import { runPlans, type ThreadAnswer, type ThreadPlan, type ThreadTask } from "./crew-script.js";
import { imageOf, type Piece, type WasmImage, wordsOf } from "./image.js";
import { notEnoughMemory, pagesFor } from "./module.js";

/** Starts threads. Returns the reason, and leaves none, if one of them does not start. */
export async function startWasmCrew(
  module: WebAssembly.Module,
  size: number,
): Promise<Crew | { readonly reason: string }> {
  const threads: PlanThread[] = [];
  const end = () => {
    for (const thread of threads) thread.end();
  };
  try {
    while (threads.length < size) threads.push(new PlanThread());
    await Promise.all(threads.map(({ running }) => running));
  } catch (error) {
    end();
    return { reason: error instanceof Error ? error.message : String(error) };
  }
  const plans = new Map<Plan, PlanOfCrew>();
  const planOf = (plan: Plan): PlanOfCrew => {
    let known = plans.get(plan);
    if (known === undefined) {
      const image = imageOf(module, plan);
      known = { id: plans.size, image, describe: () => planForThread(module, plan, image) };
      plans.set(plan, known);
    }
    return known;
  };
  return { run: (plan, inputs, outputs) => runOn(threads, planOf(plan), inputs, outputs), end };
}

/** A Plan, and its number in messages. */
interface PlanOfCrew {
  readonly id: number;
  readonly image: WasmImage;
  /** For one thread. */
  describe(): ThreadPlan;
}

/** Call k runs on thread k modulo their number. */
async function runOn(
  threads: readonly PlanThread[],
  plan: PlanOfCrew,
  inputs: readonly (readonly HostTensor[])[],
  outputs: readonly (readonly HostTensor[])[],
): Promise<void> {
  for (const tensor of [...inputs, ...outputs].flat()) requireMemory(tensor);
  const answers = await Promise.all(
    threads.slice(0, inputs.length).map((thread, first) =>
      thread.run(
        plan,
        inputs.filter((_, call) => call % threads.length === first),
      ),
    ),
  );
  outputs.forEach((tensors, call) => {
    const { outputs: results, failure } = answers[call % threads.length] as PlanResults;
    const words = results[Math.floor(call / threads.length)];
    if (words === undefined) throw machineError(failure as readonly number[]);
    tensors.forEach(({ data }, index) => {
      wordsOf(data).set(words[index] as Int32Array);
    });
  });
}

type PlanResults = Exclude<ThreadAnswer, string>;

/** One thread, from the outside. */
class PlanThread {
  /** Resolved when it runs; rejected if it could not be started. */
  readonly running: Promise<unknown>;
  private readonly host: HostThread;
  private readonly waiting: { resolve(answer: unknown): void; reject(error: Error): void }[] = [];
  private readonly known = new Set<number>();
  /** Why it runs no more. */
  private failure: Error | undefined;

  constructor() {
    this.host = startThread(runPlans.toString(), {
      onMessage: (message) => this.waiting.shift()?.resolve(message),
      onError: (reason) => this.lose(reason),
    });
    this.running = this.answer();
    this.running.catch(() => {}); // whoever waits for it is told; nobody may wait yet
  }

  /**
   * Runs a Plan, call after call.
   * @throws MemoryError if it needs more than there is; KernelError if the thread is lost
   */
  async run(
    { id, image: { base, layout }, describe }: PlanOfCrew,
    calls: readonly (readonly HostTensor[])[],
  ): Promise<PlanResults> {
    const changed = calls.map((inputs, call) =>
      inputs.flatMap((input, index): Piece[] => {
        const isSame = calls[call - 1]?.[index] === input;
        return isSame ? [] : [[base + (layout.inputs[index] as number), wordsOf(input.data).slice()]];
      }),
    );
    const task: ThreadTask = { id, calls: changed, ...(!this.known.has(id) && { plan: describe() }) };
    const pieces = [...(task.plan?.pieces ?? []), ...changed.flat()];
    this.host.post(
      task,
      pieces.map(([, words]) => words.buffer as ArrayBuffer),
    );
    const answer = (await this.answer().catch(({ message }) => {
      throw new KernelError(`WebAssembly kernels: a thread is lost: ${message}; use fewer threads or smaller batches`);
    })) as ThreadAnswer;
    if (answer === "out of memory") throw notEnoughMemory(layout.bytes);
    this.known.add(id);
    return answer;
  }

  end(): void {
    this.lose("it was ended");
    this.host.end();
  }

  private lose(reason: string): void {
    this.failure ??= new Error(reason);
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }

  /** The next message that nobody waits for yet. */
  private answer(): Promise<unknown> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }
}

/** A Plan as a thread gets it: all is copied, for it is given away. */
function planForThread(module: WebAssembly.Module, plan: Plan, { base, layout, pieces }: WasmImage): ThreadPlan {
  const { code, table, scratch, failure, bytes } = layout;
  return {
    module,
    pages: pagesFor(bytes),
    pieces: pieces(base).map(([byte, words]) => [byte, words.slice()]),
    run: [base + code, base + table, base + scratch, base + failure],
    outputs: plan.outputs.map(({ shape }, index) => [base + (layout.outputs[index] as number), sizeOf(shape)]),
  };
}
