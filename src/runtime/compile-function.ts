/** Functions of trees, compiled: traced once for each set of types, then one call into the kernels. */

import { lower, optimize, type Plan } from "../compile/index.js";
import {
  definitionKey,
  type FlatTree,
  flattenTree,
  OptionError,
  TraceError,
  type TreeDefinition,
  unflattenTree,
} from "../core/index.js";
import {
  allocate,
  formatType,
  HostTensor,
  isTensor,
  sameType,
  sizeOf,
  type Tensor,
  type TensorTree,
  type TensorType,
  type TypedArray,
} from "../tensor/index.js";
import { traceTree } from "../transforms/index.js";
import type { Executable, Kernels } from "./kernels.js";
import { selectKernels } from "./select.js";

/** How a function is compiled. */
export interface CompileOptions {
  /**
   * Arguments (by position) that are given up: a result of the same type may take over their memory, so that a loop that
   * replaces its parameters by new ones allocates nothing. Do not use the given tensors afterwards. Default none.
   */
  readonly donate?: readonly number[];
  /** Default: the fastest here. */
  readonly kernels?: Kernels;
}

/** A compiled function. */
export interface CompiledFunction<Args extends readonly TensorTree[], Result extends TensorTree> {
  (...args: Args): Result;
  /** The Plan for arguments of these types; made now if there is none. */
  plan(...args: Args): Plan;
}

interface Entry {
  readonly plan: Plan;
  readonly executable: Executable;
  readonly result: TreeDefinition;
  /** For each result, the leaf of the arguments whose memory it takes over, if any. */
  readonly takesOver: readonly (number | undefined)[];
}

/**
 * Compiles a function of tensors (in trees) for repeated use. The first call with new types traces it; what it reads from outside
 * (tensors, settings) is fixed then. Called while another function is traced, it is simply part of that one.
 * @example const step = compile((w, x) => tanh(matmul(x, w))); step(w, x);
 */
export function compile<Args extends readonly TensorTree[], Result extends TensorTree>(
  f: (...args: Args) => Result,
  options: CompileOptions = {},
): CompiledFunction<Args, Result> {
  const kernels = options.kernels ?? selectKernels();
  const cache = new Map<string, Entry>();

  const entryFor = (args: Args, { definition, leaves }: FlatTree<Tensor>): Entry => {
    const key = [definitionKey(definition), ...leaves.map(formatType)].join(" ");
    let entry = cache.get(key);
    if (entry === undefined) {
      entry = build(f, args, kernels, options.donate ?? []);
      cache.set(key, entry);
    }
    return entry;
  };

  const call = (...args: Args): Result => {
    const flat = flattenTree(args, isTensor);
    if (!flat.leaves.every((leaf) => leaf instanceof HostTensor)) return f(...args);
    const entry = entryFor(args, flat);
    const inputs = flat.leaves as HostTensor[];
    // One tensor may be given as several arguments; only one result can take over its memory.
    const taken = new Set<TypedArray>();
    const outputs = entry.plan.outputs.map(({ type }, index) => {
      const donor = inputs[entry.takesOver[index] ?? -1];
      if (donor === undefined || taken.has(donor.data)) {
        return new HostTensor(type, allocate(type.dtype, sizeOf(type.shape)));
      }
      taken.add(donor.data);
      return donor;
    });
    entry.executable.run(inputs, outputs);
    return unflattenTree<Tensor>(entry.result, outputs) as Result;
  };
  return Object.assign(call, { plan: (...args: Args) => entryFor(args, flattenTree(args, isTensor)).plan });
}

function build<Args extends readonly TensorTree[]>(
  f: (...args: Args) => TensorTree,
  args: Args,
  kernels: Kernels,
  donate: readonly number[],
): Entry {
  const traced = traceTree(f, args);
  const leafCount = traced.leafCounts.reduce((sum, count) => sum + count, 0);
  const { program, captured } = optimize(traced.program);
  const constants = [...traced.inputs.slice(leafCount), ...captured];
  if (!constants.every((constant) => constant instanceof HostTensor)) {
    throw new TraceError("compile: the function reads a tensor of an outer trace; hand it in as an argument");
  }
  const plan = lower(program, constants as HostTensor[]);
  return {
    plan,
    executable: kernels.prepare(plan),
    result: traced.result,
    takesOver: matchDonors(plan, traced.leafCounts, donate),
  };
}

/** Gives each result the first donated leaf of its type that is still free. */
function matchDonors(plan: Plan, leafCounts: readonly number[], donate: readonly number[]): (number | undefined)[] {
  const unknown = donate.find((argument) => !(argument in leafCounts));
  if (unknown !== undefined)
    throw new OptionError(`compile: cannot donate argument ${unknown}; there are ${leafCounts.length}`);
  const starts = leafCounts.map((_, argument) => leafCounts.slice(0, argument).reduce((sum, count) => sum + count, 0));
  const free = donate.flatMap((argument) =>
    Array.from({ length: leafCounts[argument] as number }, (_, k) => (starts[argument] as number) + k),
  );
  return plan.outputs.map(({ type }) => {
    const found = free.findIndex((leaf) => sameType(plan.inputs[leaf] as TensorType, type));
    return found < 0 ? undefined : free.splice(found, 1)[0];
  });
}
