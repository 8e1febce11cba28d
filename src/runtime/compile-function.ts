/** Functions of trees, compiled: traced once for each set of types, then one call into the kernels. */

import { lower, optimize, type Plan, prepareFor } from "../compile/index.js";
import {
  definitionKey,
  type FlatTree,
  flattenTree,
  OptionError,
  TraceError,
  type TreeDefinition,
  unflattenTree,
} from "../core/index.js";
import type { Program, Variable } from "../program/index.js";
import {
  allocate,
  formatType,
  HostTensor,
  isTensor,
  sameType,
  sizeOf,
  type Tensor,
  type TensorTree,
} from "../tensor/index.js";
import { traceTree } from "../transforms/index.js";
import type { Executable, Kernels } from "./kernels.js";
import { referenceKernels } from "./reference/kernels.js";
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
  /** The kernels that run it for arguments of these types: those asked for, or the reference kernels if those lack something it takes. */
  kernels(...args: Args): Kernels;
  /**
   * A call with these very arguments, to be repeated. Each run reads what their `data` hold then, and writes its results into the same
   * memory as the run before: that of donated arguments, so that what they hold goes on from run to run, or memory of its own. Nothing is
   * allocated, and nothing looked up: for small steps this is many times faster than a plain call.
   * @example const train = step.bind(params, xs, targets); train(); // params.w.data now holds the new weights
   */
  bind(...args: Args): () => Result;
}

/** A function compiled for arguments of some types. */
export interface Built {
  readonly plan: Plan;
  /** The kernels asked for, or the reference kernels if those do not have all that it takes. */
  readonly kernels: Kernels;
  readonly result: TreeDefinition;
}

interface Entry extends Built {
  readonly executable: Executable;
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
  const cache = new Map<string, Entry>();
  const entryFor = (args: Args, { definition, leaves }: FlatTree<Tensor>): Entry => {
    const key = typeKey(definition, leaves);
    let entry = cache.get(key);
    if (entry === undefined) {
      // Not before they are needed: finding them takes time, and whoever prefers some may not have said so yet.
      const built = build(f, args, options.kernels ?? selectKernels(), options.donate ?? []);
      entry = { ...built, executable: built.kernels.prepare(built.plan) };
      cache.set(key, entry);
    }
    return entry;
  };
  const call = (...args: Args): Result => {
    const flat = flattenTree(args, isTensor);
    if (!flat.leaves.every((leaf) => leaf instanceof HostTensor)) return f(...args);
    const { plan, executable, result } = entryFor(args, flat);
    const inputs = detachRepeated(plan, flat.leaves as HostTensor[]);
    const outputs = outputsFor(plan, inputs);
    executable.run(inputs, outputs);
    return unflattenTree<Tensor>(result, outputs) as Result;
  };
  const bind = (...args: Args): (() => Result) => {
    const flat = flattenTree(args, isTensor);
    if (!flat.leaves.every((leaf) => leaf instanceof HostTensor))
      throw new TraceError("compile: bind needs concrete tensors, but one is traced; call the function instead");
    const { plan, executable, result } = entryFor(args, flat);
    const inputs = flat.leaves as HostTensor[];
    if (detachRepeated(plan, inputs) !== inputs)
      throw new OptionError(
        "compile: bind cannot donate a tensor that is also given as another argument, or read from outside; copy it",
      );
    const outputs = outputsFor(plan, inputs);
    const bound = unflattenTree<Tensor>(result, outputs) as Result;
    return () => {
      executable.run(inputs, outputs);
      return bound;
    };
  };
  const entry = (args: Args) => entryFor(args, flattenTree(args, isTensor));
  return Object.assign(call, {
    bind,
    plan: (...args: Args) => entry(args).plan,
    kernels: (...args: Args) => entry(args).kernels,
  });
}

/** Arguments of one key have one Plan. */
export const typeKey = (definition: TreeDefinition, leaves: readonly Tensor[]): string =>
  [definitionKey(definition), ...leaves.map(formatType)].join(" ");

/** Gives each result memory: that of the input that it takes over, or its own. */
export const outputsFor = (plan: Plan, inputs: readonly HostTensor[]): HostTensor[] =>
  plan.outputs.map((type, index) => {
    const donor = inputs[plan.takesOver[index] ?? -1];
    return donor ?? new HostTensor(type, allocate(type.dtype, sizeOf(type.shape)));
  });

/** The inputs; copies of those whose memory is that of another one, or of a constant, if a result takes such memory over. */
function detachRepeated(plan: Plan, inputs: HostTensor[]): HostTensor[] {
  const donors = plan.takesOver.filter((donor) => donor !== undefined);
  if (donors.length === 0) return inputs;
  const owned = new Set(donors.map((donor) => (inputs[donor] as HostTensor).data.buffer));
  const seen = new Set<unknown>(plan.constants.map(({ data }) => data.buffer).filter((buffer) => owned.has(buffer)));
  if (seen.size === 0 && new Set(inputs.map(({ data }) => data.buffer)).size === inputs.length) return inputs;
  let repeated = false;
  const detached = inputs.map((input) => {
    const { buffer } = input.data;
    if (!owned.has(buffer) || !seen.has(buffer)) {
      seen.add(buffer);
      return input;
    }
    repeated = true;
    return new HostTensor(input, input.data.slice());
  });
  return repeated ? detached : inputs;
}

/** Traces a function, and makes its Plan for the preferred kernels, or the reference ones. */
export function build<Args extends readonly TensorTree[]>(
  f: (...args: Args) => TensorTree,
  args: Args,
  preferred: Kernels,
  donate: readonly number[],
): Built {
  const traced = traceTree(f, args);
  const leafCount = traced.leafCounts.reduce((sum, count) => sum + count, 0);
  const { program, captured } = optimize(traced.program);
  const constants = [...traced.inputs.slice(leafCount), ...captured];
  if (!constants.every((constant) => constant instanceof HostTensor)) {
    throw new TraceError("compile: the function reads a tensor of an outer trace; hand it in as an argument");
  }
  const kernels = preferred.supports(program) ? preferred : referenceKernels;
  const known = constants as HostTensor[];
  const prepared =
    kernels.target === undefined ? { program, constants: known } : prepareFor(kernels.target, program, known);
  const takesOver = matchDonors(program, traced.leafCounts, donate);
  const plan = lower(prepared.program, { constants: prepared.constants, takesOver });
  return { plan, kernels, result: traced.result };
}

/** Gives each result the first donated leaf of its type that is still free. */
function matchDonors(
  { inputs, outputs }: Program,
  leafCounts: readonly number[],
  donate: readonly number[],
): (number | undefined)[] {
  const unknown = donate.find((argument) => !(argument in leafCounts));
  if (unknown !== undefined)
    throw new OptionError(`compile: cannot donate argument ${unknown}; there are ${leafCounts.length}`);
  const starts = leafCounts.map((_, argument) => leafCounts.slice(0, argument).reduce((sum, count) => sum + count, 0));
  const free = donate.flatMap((argument) =>
    Array.from({ length: leafCounts[argument] as number }, (_, k) => (starts[argument] as number) + k),
  );
  return outputs.map(({ type }) => {
    const found = free.findIndex((leaf) => sameType((inputs[leaf] as Variable).type, type));
    return found < 0 ? undefined : free.splice(found, 1)[0];
  });
}
