/** Several calls of one function at the same time: each on memory of its own, several threads where the kernels have them. */

import type { Plan } from "../compile/index.js";
import { type FlatTree, flattenTree, requireInteger, TraceError, unflattenTree } from "../core/index.js";
import { HostTensor, isTensor, type Tensor, type TensorTree } from "../tensor/index.js";
import { type Built, build, outputsFor, typeKey } from "./compile-function.js";
import type { Executable, Kernels } from "./kernels.js";
import { selectKernels } from "./select.js";

/** How calls are run together. */
export interface TogetherOptions {
  /** Threads, at least 1; more than there are calls are not used. Only native kernels have more than one. Default 1. */
  readonly threads?: number;
  /** Default: the fastest here. */
  readonly kernels?: Kernels;
}

/** A function compiled for several calls at once. */
export interface CompiledTogether<Args extends readonly TensorTree[], Result extends TensorTree> {
  (calls: readonly Args[]): Result[];
  /** The Plan for arguments of these types; made now if there is none. */
  plan(args: Args): Plan;
}

/** One of the calls: what runs it, and where it leaves its results, run after run. */
interface Place {
  readonly executable: Executable;
  readonly outputs: readonly HostTensor[];
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
  const cache = new Map<string, { readonly built: Built; readonly places: Place[] }>();
  const entryFor = (args: Args, key: string) => {
    let entry = cache.get(key);
    if (entry === undefined) {
      entry = { built: build(f, args, kernels, []), places: [] };
      cache.set(key, entry);
    }
    return entry;
  };
  const keyOf = ({ definition, leaves }: FlatTree<Tensor>) => typeKey(definition, leaves);
  const call = (calls: readonly Args[]): Result[] => {
    const flat = calls.map((args) => flattenTree(args, isTensor));
    const [first, ...others] = flat;
    if (first === undefined) return [];
    const key = keyOf(first);
    const concrete = flat.every(({ leaves }) => leaves.every((leaf) => leaf instanceof HostTensor));
    if (!concrete || others.some((other) => keyOf(other) !== key)) {
      throw new TraceError(
        "compileTogether: needs calls with concrete tensors of the same types; pad or cut them to one size",
      );
    }
    const { built, places } = entryFor(calls[0] as Args, key);
    while (places.length < calls.length)
      places.push({ executable: built.kernels.prepare(built.plan), outputs: outputsFor(built.plan, []) });
    const used = places.slice(0, calls.length);
    const inputs = flat.map(({ leaves }) => leaves as HostTensor[]);
    runAll(built.kernels, used, inputs, threads);
    return used.map(({ outputs }) => unflattenTree<Tensor>(built.result, outputs) as Result);
  };
  return Object.assign(call, {
    plan: (args: Args) => entryFor(args, keyOf(flattenTree(args, isTensor))).built.plan,
  });
}

function runAll(kernels: Kernels, places: readonly Place[], inputs: readonly HostTensor[][], threads: number): void {
  const together = threads > 1 && places.length > 1 && kernels.runTogether !== undefined;
  places.forEach(({ executable, outputs }, index) => {
    if (together) executable.bind?.(inputs[index] as HostTensor[], outputs);
    else executable.run(inputs[index] as HostTensor[], outputs);
  });
  if (together)
    kernels.runTogether?.(
      places.map(({ executable }) => executable),
      threads,
    );
}
