/** What a thread of the WebAssembly kernels does, and the messages that it gets and sends. */

import type { Piece } from "./image.js";

/** A Plan for a thread. Places are bytes of its memory. */
export interface ThreadPlan {
  readonly module: WebAssembly.Module;
  readonly pages: number;
  /** What does not change. */
  readonly pieces: readonly Piece[];
  /** Arguments of the module's `run`. */
  readonly run: readonly [code: number, table: number, scratch: number, failure: number];
  readonly outputs: readonly (readonly [byte: number, words: number])[];
}

/** What a thread is told: to run a Plan several times, one after the other. */
export interface ThreadTask {
  readonly id: number;
  /** The Plan, if the thread does not know it yet. */
  readonly plan?: ThreadPlan;
  /** Inputs of each call; those that are left out are those of the call before. */
  readonly calls: readonly (readonly Piece[])[];
}

/** What it answers: outputs of the calls up to the first that failed, and the words of that failure; or that it has not memory enough. */
export type ThreadAnswer =
  | { readonly outputs: Int32Array<ArrayBuffer>[][]; readonly failure?: readonly number[] }
  | "out of memory";

/** The side of a thread on which its script is: the same in Workers and in Node. */
export interface ThreadPort {
  onmessage: ((event: { readonly data: ThreadTask }) => void) | null;
  postMessage(message: ThreadAnswer | "running", transfer: ArrayBuffer[]): void;
}

/** The script. It goes to the thread as text: nothing in it may come from outside of it. */
export function runPlans(port: ThreadPort): void {
  type Run = (...places: ThreadPlan["run"]) => number;
  const known: (Pick<ThreadPlan, "run" | "outputs"> & { memory: Int32Array<ArrayBuffer>; execute: Run })[] = [];
  port.onmessage = ({ data: { id, plan, calls } }) => {
    if (plan !== undefined) {
      let memory: WebAssembly.Memory;
      try {
        memory = new WebAssembly.Memory({ initial: plan.pages, maximum: plan.pages });
      } catch {
        port.postMessage("out of memory", []);
        return;
      }
      const words = new Int32Array(memory.buffer);
      for (const [byte, piece] of plan.pieces) words.set(piece, byte / 4);
      const { exports } = new WebAssembly.Instance(plan.module, { env: { memory } });
      known[id] = { run: plan.run, outputs: plan.outputs, memory: words, execute: exports.run as Run };
    }
    const { run, outputs, memory, execute } = known[id] as (typeof known)[number];
    const results: Int32Array<ArrayBuffer>[][] = [];
    for (const inputs of calls) {
      for (const [byte, piece] of inputs) memory.set(piece, byte / 4);
      if (execute(...run) !== 0) {
        const failure = run[3] / 4;
        port.postMessage({ outputs: results, failure: Array.from(memory.slice(failure, failure + 4)) }, []);
        return;
      }
      results.push(outputs.map(([byte, words]) => memory.slice(byte / 4, byte / 4 + words)));
    }
    port.postMessage(
      { outputs: results },
      results.flat().map((words) => words.buffer),
    );
  };
  port.postMessage("running", []);
}
