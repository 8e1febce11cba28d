/** Several calls of one function at the same time: each on memory of its own, several threads where there are some. */

import type { Plan } from "../compile/index.js";
import { type FlatTree, flattenTree, requireInteger, TraceError, unflattenTree } from "../core/index.js";
import { HostTensor, isTensor, type Tensor, type TensorTree } from "../tensor/index.js";
import { type Built, build, outputsFor, typeKey } from "./compile-function.js";
import type { Executable, Kernels } from "./kernels.js";
import { selectKernels } from "./select.js";

/** How calls are run together. */
export interface TogetherOptions {
  /** Threads, at least 1; more than there are calls have nothing to do. Default 1. */
  readonly threads?: number;
  /** Default: the fastest here. */
  readonly kernels?: Kernels;
}

/** A function compiled for several calls at once. */
export interface CompiledTogether<Args extends readonly TensorTree[], Result extends TensorTree> {
  /** The results, now. Native kernels have several threads for this; all others run one call after the other. */
  (calls: readonly Args[]): Result[];
  /**
   * The results, later; leave the tensors of `calls` as they are until then. WebAssembly kernels have threads for this, and the caller is
   * free while they compute. Where threads cannot be started, and on other kernels, it is like a plain call.
   */
  later(calls: readonly Args[]): Promise<Result[]>;
  /** Ends the threads that `later` started. Calls that still run fail; later ones start new threads. */
  end(): void;
  /** The Plan for arguments of these types; made now if there is none. */
  plan(args: Args): Plan;
}

/** A Plan, what runs each call on the caller's thread, and where each call leaves its results, run after run. */
interface Entry {
  readonly built: Built;
  readonly executables: Executable[];
  readonly outputs: HostTensor[][];
}

/**
 * Compiles a function to be called several times at once, with arguments of the same types. The results are in the same memory after every
 * run. What is computed does not depend on the number of threads, to the last bit.
 * @example const losses = compileTogether(loss, { threads: 2 }); losses([[params, first], [params, second]]);
 */
export function compileTogether<Args extends readonly TensorTree[], Result extends TensorTree>(
  f: (...args: Args) => Result,
  options: TogetherOptions = {},
): CompiledTogether<Args, Result> {
  const { threads = 1, kernels = selectKernels() } = options;
  requireInteger("compileTogether", "threads", threads, 1);
  const cache = new Map<string, Entry>();
  const entryFor = (args: Args, key: string): Entry => {
    let entry = cache.get(key);
    if (entry === undefined) {
      entry = { built: build(f, args, kernels, []), executables: [], outputs: [] };
      cache.set(key, entry);
    }
    return entry;
  };
  const keyOf = ({ definition, leaves }: FlatTree<Tensor>) => typeKey(definition, leaves);
  /** The entry for these calls, what they read, and where they leave what. */
  const prepare = (calls: readonly Args[], first: Args) => {
    const flat = calls.map((args) => flattenTree(args, isTensor));
    const [key, ...others] = flat.map(keyOf) as [string, ...string[]];
    const concrete = flat.every(({ leaves }) => leaves.every((leaf) => leaf instanceof HostTensor));
    if (!concrete || others.some((other) => other !== key)) {
      throw new TraceError(
        "compileTogether: needs calls with concrete tensors of the same types; pad or cut them to one size",
      );
    }
    const entry = entryFor(first, key);
    const { plan, result } = entry.built;
    while (entry.outputs.length < calls.length) entry.outputs.push(outputsFor(plan, []));
    const outputs = entry.outputs.slice(0, calls.length);
    return {
      entry,
      inputs: flat.map(({ leaves }) => leaves as HostTensor[]),
      outputs,
      results: outputs.map((tensors) => unflattenTree<Tensor>(result, tensors) as Result),
    };
  };
  const call = (calls: readonly Args[]): Result[] => {
    const [first] = calls;
    if (first === undefined) return [];
    const { entry, inputs, outputs, results } = prepare(calls, first);
    runAll(entry, inputs, outputs, threads);
    return results;
  };

  let crew: ReturnType<NonNullable<Kernels["startCrew"]>> | undefined;
  const later = async (calls: readonly Args[]): Promise<Result[]> => {
    const [first] = calls;
    if (threads === 1 || calls.length < 2 || first === undefined) return call(calls);
    const { entry, inputs, outputs, results } = prepare(calls, first);
    const { plan, kernels: own } = entry.built;
    if (own.startCrew) crew ??= own.startCrew(threads);
    const started = own.startCrew && (await crew);
    if (started && "run" in started) await started.run(plan, inputs, outputs);
    else runAll(entry, inputs, outputs, threads);
    return results;
  };
  const end = () => {
    void crew?.then((started) => "end" in started && started.end());
    crew = undefined;
  };
  return Object.assign(call, {
    later,
    end,
    plan: (args: Args) => entryFor(args, keyOf(flattenTree(args, isTensor))).built.plan,
  });
}

function runAll(
  { built: { kernels, plan }, executables }: Entry,
  inputs: readonly HostTensor[][],
  outputs: readonly HostTensor[][],
  threads: number,
): void {
  while (executables.length < inputs.length) executables.push(kernels.prepare(plan));
  const used = executables.slice(0, inputs.length);
  const together = threads > 1 && used.length > 1 && kernels.runTogether !== undefined;
  used.forEach((executable, index) => {
    const [from, to] = [inputs[index] as HostTensor[], outputs[index] as HostTensor[]];
    if (together) executable.bind?.(from, to);
    else executable.run(from, to);
  });
  if (together) kernels.runTogether?.(used, threads);
}
