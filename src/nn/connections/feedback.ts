/** Cells that see what came out at the step before: the truth, their own output, or either by the toss of a coin. */

import { OptionError, requireInteger, requireKnownKeys, ShapeError } from "../../core/index.js";
import {
  cast,
  concatenate,
  expandDims,
  foldIn,
  greater,
  oneHot,
  select,
  slice,
  splitKey,
  squeeze,
  stopGradient,
  zeros,
  zerosLike,
} from "../../ops/index.js";
import { paddingMask, scan } from "../../scan/index.js";
import { type FloatDType, formatType, sameType, type Tensor, type TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import { floatDTypeOf } from "../float-dtype.js";
import type { Embedding, EmbeddingParams } from "../layers/embedding.js";
import { recurrent } from "../recurrent/recurrent.js";
import type { RecurrentOptions } from "../recurrent/recurrent-layer.js";
import { type Emission, emitOutput } from "./feedback-emission.js";
import { type FeedbackInputs, requireForcing, requireTargets, stepsOf, tossCoins } from "./feedback-inputs.js";

/** A layer that reads outputs off a cell; `dense` is one. */
export interface Readout<Params extends TensorTree> {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters. */
  init(key: Tensor, dtype?: FloatDType): Params;
  /** `[..., inputSize]` to `[..., outputSize]` */
  apply(params: Params, x: Tensor): Tensor;
}

/** How a feedback layer is built. */
export interface FeedbackSettings<CellParams extends TensorTree, Carry extends TensorTree, Out extends TensorTree> {
  /** Takes `[x ; v]`: the layer's own input, then what is fed back. */
  readonly cell: Cell<CellParams, Carry>;
  readonly readout: Readout<Out>;
  /** What of the output is fed back. @default emitOutput */
  readonly emit?: Emission;
  /** Vectors for tokens that are fed back. @default one-hot vectors */
  readonly embedding?: Embedding;
  /** Features of v. @default those of the embedding, else of the readout */
  readonly feedbackSize?: number;
  /** Own output is fed back as a constant, so that no gradient passes to the step before that way. @default false */
  readonly stopFeedbackGradient?: boolean;
  /** Whether the coin of `teacherForcing` is tossed for each step, or once for each sequence of a batch. @default "step" */
  readonly coin?: "step" | "sequence";
}

const SETTING_NAMES = ["cell", "readout", "emit", "embedding", "feedbackSize", "stopFeedbackGradient", "coin"] as const;

/** Parameters of the cell, of the readout, and of the embedding if there is one. */
export type FeedbackParams<CellParams extends TensorTree, Out extends TensorTree> = {
  readonly cell: CellParams;
  readonly readout: Out;
  readonly embedding?: EmbeddingParams;
};

/** The cell's carry, and what is fed back next, `[batch, feedbackSize]`. */
export type FeedbackCarry<Carry extends TensorTree> = { readonly cell: Carry; readonly fedBack: Tensor };

/** What a feedback layer can be told about one batch. A key is for coins, for tokens that are drawn, and for the cell. */
export interface FeedbackOptions<Carry extends TensorTree>
  extends Pick<RecurrentOptions<FeedbackCarry<Carry>>, "carry" | "mask" | "sequenceLengths" | "resetMask" | "key"> {
  /** The truth of every step: float `[time, batch, feedbackSize]`, or tokens, int32 `[time, batch]`. */
  readonly targets?: Tensor;
  /**
   * Probability in [0, 1] that the truth is fed back rather than the own output: a number, or a float scalar, which may
   * change from call to call without a new trace. Between 0 and 1 it needs a key. @default 1 with targets, 0 without
   */
  readonly teacherForcing?: number | Tensor;
  /** What of the output is fed back in this run. @default that of the layer */
  readonly emit?: Emission;
}

const OPTION_NAMES = [
  ...["carry", "mask", "sequenceLengths", "resetMask", "key"],
  ...["targets", "teacherForcing", "emit"],
] as const;

/** Outputs of the readout, what was emitted, and the carry after the last step. */
export type FeedbackResult<Carry extends TensorTree> = {
  /** `[time, batch, outputSize]`, 0 on padding */
  readonly outputs: Tensor;
  /** What the output of each step would feed back, 0 on padding; absent where only the truth is fed back. */
  readonly emitted?: Tensor;
  readonly carry: FeedbackCarry<Carry>;
};

/** A layer with a connection from its output back to its input. */
export interface FeedbackLayer<CellParams extends TensorTree, Carry extends TensorTree, Out extends TensorTree> {
  /** Features of the input, without what is fed back; may be 0. */
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters, concrete. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): FeedbackParams<CellParams, Out>;
  /** The carry before the first step: zeros are fed back. @param dtype default float32 */
  initialCarry(batchSize: number, dtype?: FloatDType): FeedbackCarry<Carry>;
  /**
   * Runs over a batch of sequences.
   * @throws ShapeError if inputs or targets do not fit; OptionError if targets or a key are missing
   */
  apply(
    params: FeedbackParams<CellParams, Out>,
    xs: FeedbackInputs,
    options?: FeedbackOptions<Carry>,
  ): FeedbackResult<Carry>;
  /** The carry as if these tokens, int32 `[batch]`, or vectors `[batch, feedbackSize]` had just been emitted. */
  feedBack(params: FeedbackParams<CellParams, Out>, carry: FeedbackCarry<Carry>, emitted: Tensor): FeedbackCarry<Carry>;
  /** One step of free run: what streaming takes. Its output is that of the readout. */
  readonly freeRun: Cell<FeedbackParams<CellParams, Out>, FeedbackCarry<Carry>>;
}

/** Folded into the key of a step for what is emitted, and into the key of a run for its coins. */
const [EMISSION, COINS] = [0x656d6974, 0x636f696e] as const;

/**
 * A cell with a connection from the output back to its input.
 *
 *   h_t, y_t = cell(h_{t-1}, [x_t ; v_{t-1}])      o_t = readout(y_t)
 *   v_t = the truth of step t with probability `teacherForcing`, else emit(o_t)      v_0 = 0
 *
 * With a cell that has no memory this is the recurrence from output to hidden units alone; with one that has, the context or
 * closed-loop connection. Where only the truth is fed back, no step waits for the output of the one before it, so input
 * products and readout run outside the loop.
 * @throws OptionError if sizes do not fit, or a setting is unknown
 * @see Goodfellow, Bengio & Courville 2016, section 10.2; teacher forcing: Williams & Zipser 1989,
 *   doi:10.1162/neco.1989.1.2.270; coins: Bengio, Vinyals, Jaitly & Shazeer 2015, arXiv:1506.03099
 * @example
 * const layer = feedback({ cell: gru({ inputSize: 1, hiddenSize: 32 }), readout: dense({ inputSize: 32, outputSize: 1 }) });
 * const { outputs, carry } = layer.apply(params, { length: 50, batchSize: 8 }, { targets });  // teacher forcing
 * const dream = layer.apply(params, { length: 200, batchSize: 8 }, { carry });                // goes on by itself
 */
export function feedback<CellParams extends TensorTree, Carry extends TensorTree, Out extends TensorTree>(
  settings: FeedbackSettings<CellParams, Carry, Out>,
): FeedbackLayer<CellParams, Carry, Out> {
  requireKnownKeys("feedback", settings, SETTING_NAMES);
  const { cell, readout, embedding, stopFeedbackGradient = false, coin = "step" } = settings;
  const feedbackSize = settings.feedbackSize ?? embedding?.outputSize ?? readout.outputSize;
  const inputSize = cell.inputSize - feedbackSize;
  requireSettings(settings, feedbackSize);

  type Params = FeedbackParams<CellParams, Out>;
  const init = (key: Tensor, dtype?: FloatDType): Params => {
    const [cellKey, readoutKey, embeddingKey] = splitKey(key, 3);
    return {
      cell: cell.init(cellKey, dtype),
      readout: readout.init(readoutKey, dtype),
      ...(embedding && { embedding: embedding.init(embeddingKey, dtype) }),
    };
  };
  const initialCarry = (batchSize: number, dtype: FloatDType = "float32"): FeedbackCarry<Carry> => ({
    cell: cell.initialCarry(batchSize, dtype),
    fedBack: zeros([batchSize, feedbackSize], dtype),
  });

  /** Tokens become vectors; vectors stay what they are. */
  const vectorsOf = (params: Params, fed: Tensor): Tensor => {
    if (fed.dtype !== "int32") return fed;
    if (params.embedding && embedding) return embedding.apply(params.embedding, fed);
    return oneHot(fed, feedbackSize, floatDTypeOf(params));
  };

  /** One step up to the output, and what that would feed back. */
  const advance = (emit: Emission, params: Params, carry: FeedbackCarry<Carry>, x: Tensor, key?: Tensor) => {
    const [next, y] = cell.step(params.cell, carry.cell, join([x, carry.fedBack]), key);
    const output = readout.apply(params.readout, y);
    const emitted = emit(output, key && foldIn(key, EMISSION));
    const own = vectorsOf(params, stopFeedbackGradient ? stopGradient(emitted) : emitted);
    return { next, output, emitted, own: fitting(own, carry) };
  };
  const face = { init, initialCarry, usesKey: true } as const;

  /** Only the truth is fed back: all of it is known before the loop begins. */
  const openLoop = (
    params: Params,
    inputs: readonly Tensor[],
    truth: Tensor,
    run: Run<Carry>,
  ): FeedbackResult<Carry> => {
    const { carry, key, ...masks } = run;
    const [fedBack, before] = scan((previous, next) => [next, previous], carry.fedBack, truth, {
      ...masks,
      ...(masks.resetMask && { resetCarry: zerosLike(carry.fedBack) }),
    });
    const readCell: Cell<Params, Carry> = {
      ...cell,
      init,
      step: (at, state, x, stepKey) => {
        const [next, y] = cell.step(at.cell, state, x, stepKey);
        return [next, readout.apply(at.readout, y)];
      },
    };
    const result = recurrent(readCell).apply(params, join([...inputs, before]), { ...run, carry: carry.cell });
    return { outputs: result.outputs, carry: { cell: result.carry, fedBack } };
  };

  /** Each step waits for the output of the one before. `xs` is [x], or [x ; truth ; coin] where a coin decides. */
  const closedLoop = (params: Params, emit: Emission, xs: Tensor, run: Run<Carry>): FeedbackResult<Carry> => {
    const width = xs.shape[2] as number;
    let tokens = false; // known once the step is traced
    const loop: Cell<Params, FeedbackCarry<Carry>> = {
      ...face,
      inputSize: width,
      outputSize: readout.outputSize, // behind it comes what is emitted
      step: (at, carry, x, key) => {
        const { next, output, emitted, own } = advance(emit, at, carry, slice(x, -1, 0, inputSize), key);
        tokens = emitted.dtype === "int32";
        const fedBack =
          width === inputSize ? own : select(greater(slice(x, -1, -1), 0), slice(x, -1, inputSize, -1), own);
        return [
          { cell: next, fedBack },
          join([output, tokens ? expandDims(cast(emitted, output.dtype), -1) : emitted]),
        ];
      },
    };
    const { outputs, carry } = recurrent(loop).apply(params, xs, run);
    const emitted = slice(outputs, -1, readout.outputSize);
    return {
      outputs: slice(outputs, -1, 0, readout.outputSize),
      emitted: tokens ? cast(squeeze(emitted, -1), "int32") : emitted,
      carry,
    };
  };

  return {
    inputSize,
    outputSize: readout.outputSize,
    init,
    initialCarry,
    feedBack: (params, carry, emitted) => ({ ...carry, fedBack: fitting(vectorsOf(params, emitted), carry) }),
    freeRun: {
      ...face,
      inputSize,
      outputSize: readout.outputSize,
      step: (params, carry, x, key) => {
        const { next, output, own } = advance(settings.emit ?? emitOutput, params, carry, x, key);
        return [{ cell: next, fedBack: own }, output];
      },
    },
    apply: (params, xs, options = {}) => {
      requireKnownKeys("feedback", options, OPTION_NAMES);
      const { targets, teacherForcing = targets ? 1 : 0, emit = settings.emit ?? emitOutput, ...given } = options;
      const dtype = floatDTypeOf(params);
      const steps = stepsOf(xs, inputSize);
      const run = { ...given, carry: given.carry ?? initialCarry(steps.batchSize, dtype) };
      requireForcing(teacherForcing);
      if (teacherForcing === 0) {
        const inputs = steps.inputs[0] ?? zeros([steps.time, steps.batchSize, 0], dtype);
        return closedLoop(params, emit, inputs, run);
      }
      const truth = vectorsOf(params, requireTargets(targets, steps, feedbackSize, paddingMask(given, steps.time)));
      if (teacherForcing === 1) return openLoop(params, steps.inputs, truth, run);
      if (run.key === undefined) {
        throw new OptionError("feedback: teacherForcing between 0 and 1 tosses coins, and needs the option key");
      }
      const coins = tossCoins(foldIn(run.key, COINS), teacherForcing, steps, coin, dtype);
      return closedLoop(params, emit, join([...steps.inputs, truth, coins]), run);
    },
  };
}

/** What `recurrent` is told, with a carry. */
type Run<Carry extends TensorTree> = Pick<FeedbackOptions<Carry>, "mask" | "sequenceLengths" | "resetMask" | "key"> & {
  readonly carry: FeedbackCarry<Carry>;
};

function fitting(emitted: Tensor, { fedBack }: FeedbackCarry<TensorTree>): Tensor {
  if (sameType(emitted, fedBack)) return emitted;
  throw new ShapeError(
    `feedback: what is emitted becomes ${formatType(emitted)}, but ${formatType(fedBack)} is fed back; set feedbackSize`,
  );
}

/** Side by side along the last axis, what has no features left out. */
const join = (parts: readonly Tensor[]): Tensor => {
  const [first, ...others] = parts.filter(({ shape }) => shape.at(-1) !== 0) as [Tensor, ...Tensor[]];
  return others.length === 0 ? first : concatenate([first, ...others]);
};

function requireSettings(
  {
    cell,
    readout,
    embedding,
    feedbackSize: given,
    coin = "step",
  }: FeedbackSettings<TensorTree, TensorTree, TensorTree>,
  feedbackSize: number,
): void {
  if (given !== undefined) requireInteger("feedback", "feedbackSize", given, 1);
  if (embedding && feedbackSize !== embedding.outputSize) {
    throw new OptionError(
      `feedback: feedbackSize is ${feedbackSize}, but the embedding has ${embedding.outputSize} features; leave it out`,
    );
  }
  if (cell.inputSize < feedbackSize) {
    throw new OptionError(
      `feedback: the cell takes ${cell.inputSize} features, fewer than the ${feedbackSize} that are fed back`,
    );
  }
  if (cell.outputSize !== readout.inputSize) {
    throw new OptionError(
      `feedback: the cell gives ${cell.outputSize} features, but the readout takes ${readout.inputSize}`,
    );
  }
  if (coin !== "step" && coin !== "sequence") {
    throw new OptionError(`feedback: coin must be "step" or "sequence", but is "${coin as string}"`);
  }
}
