/** The training loop, as an async iterator that reports every update. */

import type { Plan } from "../compile/index.js";
import { NonFiniteError, OptionError, requireInteger, requireKnownKeys, requireNumber } from "../core/index.js";
import {
  bptt,
  type GradientStep,
  type GradientTransform,
  globalNorm,
  type LearningMethod,
  type Optimizer,
  type SequenceProblem,
} from "../learn/index.js";
import { averageLoss, type LossSum } from "../nn/index.js";
import { equal, foldIn, isFiniteNumber, logicalAnd, select, sum } from "../ops/index.js";
import { compile, compileTogether, type Kernels } from "../runtime/index.js";
import {
  copyTensors,
  isFloat,
  mapTensors,
  sizeOf,
  type Tensor,
  type TensorTree,
  tensorsByPath,
  toNumber,
} from "../tensor/index.js";
import { addShards, joinShards, takeShard } from "./shards.js";
import type { Progress, TrainState } from "./state.js";

/** What one update did. */
export interface TrainReport<Params extends TensorTree> {
  /** Updates made so far, from 1. */
  readonly step: number;
  /** Average loss over the batch, before the update. */
  readonly loss: number;
  /** Exponential average of the losses. */
  readonly averageLoss: number;
  /** Euclidean norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Steps of sequences that counted in the batch. */
  readonly tokens: number;
  /** Loss on the validation data, if it was measured after this update, and whether it is the best so far. */
  readonly validationLoss?: number;
  readonly isBest?: boolean;
  /** Set on the last report if training ended early, and why. */
  readonly stopped?: "early" | "aborted";
  /** The run after this update. The next update overwrites its tensors: use or encode them before you ask for it. */
  readonly state: TrainState<Params>;
}

/** Measuring on data that is not trained on. */
export interface Validation<Params extends TensorTree> {
  /** Updates between measurements; the last update is measured too. At least 1. */
  readonly every: number;
  /** Average loss on the validation data. */
  readonly measure: (params: Params) => number;
  /** Stop after this many measurements without a new best. At least 1. @default never */
  readonly patience?: number;
}

/** Saving the state. Leave the loop over reports by aborting the signal: a loop that is broken off saves nothing more. */
export interface Checkpoints<Params extends TensorTree> {
  /**
   * Least seconds between saves, at least 0. When a save takes long, the time to the next grows, so that saving stays below
   * 2 % of all time. When training ends, the state is saved in any case.
   * @default 1
   */
  readonly everySeconds?: number;
  /** Awaited, after the update's report; its errors end training. */
  readonly save: (state: TrainState<Params>) => Promise<void>;
}

/** A training run. */
export interface TrainOptions<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree> {
  readonly problem: SequenceProblem<Params, Carry, Batch>;
  /** From `initialState`, or a decoded checkpoint. */
  readonly state: TrainState<Params>;
  readonly optimizer: Optimizer;
  /** The batch of an update, counted from 0. A pure function, so that a resumed run sees what an unbroken one sees. */
  readonly batch: (update: number) => Batch;
  /** Updates in all, those before a resume included. */
  readonly steps: number;
  /** @default bptt() */
  readonly method?: LearningMethod;
  /** Changes to the gradient, such as clipping, in order. @default none */
  readonly transforms?: readonly GradientTransform[];
  readonly validation?: Validation<Params>;
  readonly checkpoints?: Checkpoints<Params>;
  /** Stops between two updates, after saving. */
  readonly signal?: AbortSignal;
  /** @default the fastest here */
  readonly kernels?: Kernels;
  /**
   * Parts of equal size that every batch is cut into, at least 1: the gradient of each is computed by itself. The batch size must be a
   * multiple. The number of shards is part of what is computed: it changes the last bits of a gradient, and what is random.
   * @default 1
   */
  readonly shards?: number;
  /**
   * Threads that shards are divided among, at least 1. Changes no bit of the result. On WebAssembly they are Workers, so that a page can do
   * other things meanwhile; where those cannot be started, shards run one after the other.
   * @default 1
   */
  readonly threads?: number;
}

/** The state before the first update. */
export function initialState<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  options: Pick<TrainOptions<Params, Carry, Batch>, "problem" | "optimizer" | "method" | "batch"> & {
    readonly params: Params;
    readonly key: Tensor;
  },
): TrainState<Params> {
  const { problem, optimizer, method = bptt(), batch, params, key } = options;
  return {
    params,
    optimizer: optimizer.init(params),
    method: method.init(problem, batch(0), params),
    key,
    progress: { step: 0 },
  };
}

const OPTION_NAMES = [
  "problem",
  "state",
  "optimizer",
  "batch",
  "steps",
  "method",
  "transforms",
  "validation",
  "checkpoints",
  "signal",
  "kernels",
  "shards",
  "threads",
] as const satisfies readonly (keyof TrainOptions<never, never, never>)[];
/** Weight of the newest loss in the exponential average. */
const NEWEST_LOSS = 0.05;
const DEFAULT_EVERY_SECONDS = 1;
/** Least time between two saves, as a multiple of the time that the last one took. */
const SAVE_SPACING = 50;
/** Longest time in milliseconds without letting the page, or a signal, have its turn. */
const LONGEST_TURN = 30;

/**
 * Trains, and reports each update. Every update is one compiled step: forward, backward, clipping and optimizer.
 *
 * The loop gives way to other work at least every 30 ms. If a loss, a gradient or what the update would leave behind
 * is not finite, that update is not made and training ends with an error, so the parameters stay as good as they were.
 * @throws NonFiniteError naming the update and the first tensor that is not finite
 * @example for await (const { step, loss } of train({ problem, state, optimizer: adam(), batch, steps: 100 })) console.log(step, loss);
 */
export async function* train<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  options: TrainOptions<Params, Carry, Batch>,
): AsyncGenerator<TrainReport<Params>, TrainState<Params>> {
  requireKnownKeys("train", options, OPTION_NAMES);
  const { batch, steps, validation, checkpoints } = options;
  requireInteger("train", "steps", steps, 1);
  requireInteger("train", "shards", options.shards ?? 1, 1);
  requireInteger("train", "threads", options.threads ?? 1, 1);
  if (validation) requireInteger("train", "validation.every", validation.every, 1);
  if (validation?.patience !== undefined) requireInteger("train", "validation.patience", validation.patience, 1);
  const { everySeconds = DEFAULT_EVERY_SECONDS } = checkpoints ?? {};
  requireNumber("train", "checkpoints.everySeconds", everySeconds, { from: 0 });
  let state = ownCopy(options.state);
  if (state.progress.step > steps) {
    throw new OptionError(
      `train: ${state.progress.step} updates are already made, more than steps = ${steps}; raise steps`,
    );
  }

  const update = compileUpdate(options);
  const giveWay = turnTaker();
  let nextSave = performance.now() + everySeconds * 1000;
  try {
    while (state.progress.step < steps) {
      const { params, optimizer, method, key, progress } = state;
      const data = batch(progress.step);
      const [changed, measured] = await update.run({ params, optimizer, method }, data, foldIn(key, progress.step));
      const loss = toNumber(measured.loss);
      const gradientNorm = toNumber(measured.gradientNorm);
      state = { ...changed, key, progress };
      if (toNumber(measured.ok) === 0) throw explainNonFinite(options, state, data);

      const step = progress.step + 1;
      const isMeasured = validation !== undefined && (step % validation.every === 0 || step === steps);
      const validationLoss = isMeasured ? validation.measure(state.params) : undefined;
      const next = advance(progress, loss, validationLoss);
      state = { ...state, progress: next };
      const stopped = step === steps ? undefined : reasonToStop(options, next, isMeasured);
      yield {
        step,
        loss,
        averageLoss: next.averageLoss,
        gradientNorm,
        tokens: toNumber(measured.count),
        ...(validationLoss !== undefined && { validationLoss, isBest: next.bestStep === step }),
        ...(stopped && { stopped }),
        state,
      };
      // After the report, so that whoever writes reports and models down has written all that a checkpoint counts.
      if (checkpoints && (performance.now() >= nextSave || step === steps || stopped)) {
        const saveStarted = performance.now();
        await checkpoints.save(state);
        const saved = performance.now();
        nextSave = saved + Math.max(everySeconds * 1000, SAVE_SPACING * (saved - saveStarted));
      }
      if (stopped) return state;
      await giveWay();
    }
    return state;
  } finally {
    update.end();
  }
}

/** The Plans of one update, and how many times each has memory of its own at most: what is computed, and how much memory it takes. */
export function updatePlans<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  options: TrainOptions<Params, Carry, Batch>,
): { readonly plan: Plan; readonly copies: number }[] {
  const { params, optimizer, method, key } = options.state;
  return compileUpdate(options).plans({ params, optimizer, method }, options.batch(0), key);
}

/** Lets the event loop have its turn, if it had none for a while. */
function turnTaker(): () => Promise<void> {
  let turnStarted = performance.now();
  return async () => {
    if (performance.now() - turnStarted <= LONGEST_TURN) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    turnStarted = performance.now();
  };
}

/** The progress after one more update. The average is a plain one at first, then an exponential one. */
function advance(
  progress: Progress,
  loss: number,
  validationLoss: number | undefined,
): Progress & { readonly averageLoss: number } {
  const step = progress.step + 1;
  const before = progress.averageLoss ?? loss;
  const averageLoss = before + Math.max(1 / step, NEWEST_LOSS) * (loss - before);
  const isBest =
    validationLoss !== undefined && validationLoss < (progress.bestValidationLoss ?? Number.POSITIVE_INFINITY);
  return { ...progress, step, averageLoss, ...(isBest && { bestValidationLoss: validationLoss, bestStep: step }) };
}

/** Why training ends after this update, if it does. */
function reasonToStop<Params extends TensorTree>(
  { validation, signal }: Pick<TrainOptions<Params, never, never>, "validation" | "signal">,
  { step, bestStep = 0 }: Progress,
  isMeasured: boolean,
): "early" | "aborted" | undefined {
  const { patience = Number.POSITIVE_INFINITY, every = 1 } = validation ?? {};
  if (isMeasured && step - bestStep >= patience * every) return "early";
  return signal?.aborted ? "aborted" : undefined;
}

type Changing<Params extends TensorTree> = {
  readonly params: Params;
  readonly optimizer: TrainState<Params>["optimizer"];
  readonly method: TensorTree;
};

type UpdateOptions<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree> = Pick<
  TrainOptions<Params, Carry, Batch>,
  "problem" | "optimizer" | "method" | "transforms"
>;

/** Forward and backward. */
const computeGradient = <Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  { problem, method = bptt() }: UpdateOptions<Params, Carry, Batch>,
  before: Pick<Changing<Params>, "params" | "method">,
  batch: Batch,
  key: Tensor,
): GradientStep<Params, TensorTree> => method.step(problem, before.params, before.method, batch, key);

/** Gradient transforms and optimizer. */
function computeNext<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  { optimizer, transforms = [] }: UpdateOptions<Params, Carry, Batch>,
  before: Changing<Params>,
  { gradient, state }: GradientStep<Params, TensorTree>,
  key: Tensor,
): Changing<Params> {
  const context = { key, updates: before.optimizer.updates };
  const changed = transforms.reduce((current, transform) => transform(current, context), gradient);
  const after = optimizer.update(before.params, changed, before.optimizer);
  return { params: after.params, optimizer: after.state, method: state };
}

/** What comes behind the gradient: the update, made if all that it leaves is finite, and what is reported. */
function applyGradient<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  options: UpdateOptions<Params, Carry, Batch>,
  before: Changing<Params>,
  step: GradientStep<Params, TensorTree>,
  key: Tensor,
): readonly [Changing<Params>, Measured] {
  const next = computeNext(options, before, step, key);
  const [loss, gradientNorm] = [averageLoss(step.loss), globalNorm(step.gradient)];
  const ok = allFinite([loss, gradientNorm, next]);
  const kept = mapTensors((fresh, old) => select(ok, fresh, old), next, before);
  return [kept, { loss, count: step.loss.count, gradientNorm, ok }];
}

/** 1 if all numbers of a tree are finite. */
const allFinite = (tree: TensorTree): Tensor =>
  tensorsByPath(tree)
    .filter(([, { dtype }]) => isFloat(dtype))
    .map(([, leaf]) => equal(sum(isFiniteNumber(leaf)), sizeOf(leaf.shape)))
    .reduce(logicalAnd);

/** One update as compiled code. */
interface CompiledUpdate<Params extends TensorTree, Batch extends TensorTree> {
  /** Makes an update. The results take over the memory of what they replace. */
  run(before: Changing<Params>, batch: Batch, key: Tensor): Promise<readonly [Changing<Params>, Measured]>;
  /** Ends its threads. */
  end(): void;
  /** What it runs, and how many times with memory of its own at most. */
  plans(before: Changing<Params>, batch: Batch, key: Tensor): { readonly plan: Plan; readonly copies: number }[];
}

/** What an update reports; `ok` is 0 if it was not made. */
type Measured = { readonly loss: Tensor; readonly count: Tensor; readonly gradientNorm: Tensor; readonly ok: Tensor };

const compileUpdate = <Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  options: TrainOptions<Params, Carry, Batch>,
): CompiledUpdate<Params, Batch> => ((options.shards ?? 1) > 1 ? shardedUpdate(options) : wholeUpdate(options));

/** The whole update as one Plan. */
function wholeUpdate<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  options: TrainOptions<Params, Carry, Batch>,
): CompiledUpdate<Params, Batch> {
  const update = compile(
    (before: Changing<Params>, batch: Batch, key: Tensor) => {
      const step = computeGradient(options, before, batch, key);
      return applyGradient(options, before, step, key);
    },
    { donate: [0], ...(options.kernels && { kernels: options.kernels }) },
  );
  return {
    run: async (...args) => update(...args),
    end: () => {},
    plans: (...args) => [{ plan: update.plan(...args), copies: 1 }],
  };
}

/** The gradients of shards side by side, then one Plan for the rest. */
function shardedUpdate<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  options: TrainOptions<Params, Carry, Batch>,
): CompiledUpdate<Params, Batch> {
  const { shards = 1, threads = 1 } = options;
  const kernels = options.kernels && { kernels: options.kernels };
  const gradients = compileTogether(
    (params: Params, method: TensorTree, batch: Batch, key: Tensor) =>
      computeGradient(options, { params, method }, batch, key),
    { threads: Math.min(threads, shards), ...kernels },
  );
  const finish = compile(
    (before: Changing<Params>, parts: readonly { gradient: Params; loss: LossSum }[], state: TensorTree, key: Tensor) =>
      applyGradient(options, before, { ...addShards(parts), state }, key),
    { donate: [0], ...kernels },
  );
  type Part = [Params, TensorTree, Batch, Tensor];
  const partsOf = (before: Changing<Params>, batch: Batch, key: Tensor): Part[] =>
    Array.from({ length: shards }, (_, shard) => [
      before.params,
      takeShard(before.method, 0, shard, shards),
      takeShard(batch, 1, shard, shards),
      foldIn(key, shard),
    ]);
  /** What the second Plan is given: what the first computed. */
  const given = (
    before: Changing<Params>,
    results: readonly GradientStep<Params, TensorTree>[],
    key: Tensor,
  ): Parameters<typeof finish> => [
    before,
    results.map(withoutState),
    joinShards(results.map(({ state }) => state)),
    key,
  ];
  return {
    run: async (before, batch, key) =>
      finish(...given(before, await gradients.later(partsOf(before, batch, key)), key)),
    end: () => gradients.end(),
    plans: (before, batch, key) => {
      const parts = partsOf(before, batch, key);
      return [
        { plan: gradients.plan(parts[0] as Part), copies: shards },
        { plan: finish.plan(...given(before, gradients(parts), key)), copies: 1 },
      ];
    },
  };
}

const withoutState = <Params extends TensorTree>({ gradient, loss }: { gradient: Params; loss: LossSum }) => ({
  gradient,
  loss,
});

/** The tensors that updates overwrite, copied, so that the caller's stay as they are. */
function ownCopy<Params extends TensorTree>(state: TrainState<Params>): TrainState<Params> {
  const { params, optimizer, method } = state;
  return { ...state, ...copyTensors({ params, optimizer, method }) };
}

/** Computes the failed update again, piece by piece, to name the first thing that is not finite. */
function explainNonFinite<Params extends TensorTree, Carry extends TensorTree, Batch extends TensorTree>(
  options: TrainOptions<Params, Carry, Batch>,
  { params, optimizer, method, key, progress }: TrainState<Params>,
  batch: Batch,
): NonFiniteError {
  const before = { params, optimizer, method };
  const updateKey = foldIn(key, progress.step);
  const step = computeGradient(options, before, batch, updateKey);
  const { gradient } = step;
  const [loss, gradientNorm] = [averageLoss(step.loss), globalNorm(gradient)];
  const next = computeNext(options, before, step, updateKey);
  const groups: [string, TensorTree][] = [
    ["batch", batch],
    ["parameter", params],
    ["state of the learning method", method],
    ["gradient of", gradient],
    ["the loss itself", loss],
    ["the norm of the gradient", gradientNorm],
    ["the new value of parameter", next.params],
    ["the new state of the optimizer", next.optimizer],
    ["the new state of the learning method", next.method],
  ];
  const first = groups
    .flatMap(([kind, tree]) => tensorsByPath(tree).map(([path, leaf]) => ({ name: `${kind} ${path}`.trim(), leaf })))
    .find(({ leaf }) => !leaf.data.every(Number.isFinite));
  return new NonFiniteError(
    `the loss is ${toNumber(loss)} at update ${progress.step + 1}; the first tensor that is not finite is ${first?.name ?? "none when it is computed again"}. ` +
      "The update was not made. Lower the learning rate, clip the gradient, or look at the data of this batch",
  );
}
