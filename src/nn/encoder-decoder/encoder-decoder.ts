/** From one sequence to another of its own length: an encoder reads, a decoder writes. */

import { OptionError, requireInteger, requireKnownKeys } from "../../core/index.js";
import { concatenate, expandDims, greaterEqual, maximum, select, slice, splitKey, zeros } from "../../ops/index.js";
import type { FloatDType, Tensor, TensorTree } from "../../tensor/index.js";
import type { Cell } from "../cell.js";
import {
  type FeedbackCarry,
  type FeedbackLayer,
  type FeedbackOptions,
  type FeedbackParams,
  feedback,
  type Readout,
} from "../connections/feedback.js";
import { type Emission, emitOutput } from "../connections/feedback-emission.js";
import { floatDTypeOf } from "../float-dtype.js";
import { type DenseParams, dense } from "../layers/dense.js";
import type { Embedding } from "../layers/embedding.js";
import type { RecurrentLayer } from "../recurrent/recurrent-layer.js";
import type { Attention, AttentionMemory } from "./attention.js";
import { attentionCell } from "./attention-cell.js";
import { bridgeCarry, bridgeLayer, sameForm, summaryOf, summarySize } from "./encoder-decoder-bridge.js";

/** How an encoder-decoder is built. */
export interface EncoderDecoderSettings<EncoderParams extends TensorTree, EncoderCarry extends TensorTree> {
  /** Reads the source: any layer over time, in both directions too. */
  readonly encoder: RecurrentLayer<EncoderParams, EncoderCarry>;
  /** Makes the decoder's cell, for the features that it will be given. */
  readonly decoder: (inputSize: number) => Cell<TensorTree, TensorTree>;
  /** Features of the outputs: the classes, where tokens are written. */
  readonly outputSize: number;
  /** Lets the decoder look at all steps of the encoder; its query has the features of the decoder's output. @default none */
  readonly attention?: Attention<TensorTree>;
  /** What of an output is fed back. @default emitOutput; for tokens choose emitArgmax */
  readonly emit?: Emission;
  /** Vectors for tokens that are fed back. @default one-hot vectors */
  readonly embedding?: Embedding;
  /**
   * What the decoder's first carry is: "copy" that of the encoder, which must have the same form; "dense" tanh(W s + b) of
   * the encoder's carry s; "none" the decoder's own initial carry. @default "copy" where it is possible, else "dense"
   */
  readonly bridge?: "copy" | "dense" | "none";
  /** The encoder's carry is also an input of every step of the decoder. @default false */
  readonly condition?: boolean;
}

const SETTING_NAMES = [
  ...["encoder", "decoder", "outputSize", "attention", "emit", "embedding", "bridge", "condition"],
] as const;

/** Parameters of the encoder, of a dense bridge, and of the decoder with its readout. */
export type EncoderDecoderParams<EncoderParams extends TensorTree> = {
  readonly encoder: EncoderParams;
  readonly bridge?: DenseParams;
  readonly decoder: FeedbackParams<TensorTree, DenseParams>;
};

/** A source that was read: all that the decoder needs of it. */
export type Encoded = {
  /** The decoder's carry before its first step. */
  readonly carry: FeedbackCarry<TensorTree>;
  readonly memory?: AttentionMemory;
  /** The encoder's carry as an input, `[batch, features]`. */
  readonly summary?: Tensor;
};

/** What is known of a batch of sources. */
export interface EncodeOptions {
  /** int32 `[batch]`: real steps of each source. */
  readonly sequenceLengths?: Tensor;
  /** int32 `[time, batch]`, 1 = real, 0 = padding. */
  readonly mask?: Tensor;
  readonly key?: Tensor;
}

/** How a target is written: `targets` for their truth, or `length` steps of free run. */
export interface DecodeOptions
  extends Pick<
    FeedbackOptions<TensorTree>,
    "mask" | "sequenceLengths" | "key" | "targets" | "teacherForcing" | "emit"
  > {
  /** Steps to write. @default those of the targets */
  readonly length?: number;
}

/** What was written. */
export type Decoded = {
  /** `[time, batch, outputSize]`, 0 on padding */
  readonly outputs: Tensor;
  /** What the output of each step would feed back; absent where only the truth is fed back. */
  readonly emitted?: Tensor;
  /** Attention at each step, `[time, batch, source time]`, 0 on padding; absent without attention. */
  readonly weights?: Tensor;
  readonly carry: FeedbackCarry<TensorTree>;
};

/** An encoder and a decoder. */
export interface EncoderDecoder<EncoderParams extends TensorTree> {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Starting parameters, concrete. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): EncoderDecoderParams<EncoderParams>;
  /** Reads a batch of sources, `[time, batch, inputSize]`. */
  encode(params: EncoderDecoderParams<EncoderParams>, source: Tensor, options?: EncodeOptions): Encoded;
  /** Writes. @throws OptionError without targets or length */
  decode(params: EncoderDecoderParams<EncoderParams>, encoded: Encoded, options: DecodeOptions): Decoded;
  /**
   * One step of writing, as a search takes it.
   * @param tokens int32 `[batch]`, what was written last; -1 for nothing yet
   * @returns the next carry, and the output `[batch, outputSize]`
   */
  step(
    params: EncoderDecoderParams<EncoderParams>,
    encoded: Omit<Encoded, "carry">,
    carry: FeedbackCarry<TensorTree>,
    tokens: Tensor,
  ): readonly [carry: FeedbackCarry<TensorTree>, output: Tensor];
}

/**
 * An encoder-decoder:
 *
 *   carry, m = encoder(x)      h_0 = bridge(carry)      v_0 = 0
 *   h_t, y_t = decoder(h_{t-1}, [s ; v_{t-1} ; c_t])      o_t = W [y_t ; c_t] + b      v_t = the truth, or emit(o_t)
 *
 * s, the numbers of the encoder's carry, with `condition`; c_t = attend(m, y_{t-1}) with `attention`, where y_0 comes from a
 * dense bridge, too, and is 0 otherwise; v as in `feedback`.
 * Maximum likelihood: `crossEntropy(outputs, targets, mask)` with teacher forcing.
 * @throws OptionError if sizes do not fit, a setting is unknown, or the decoder would know nothing of the source
 * @see Cho et al. 2014, arXiv:1406.1078 (condition); Sutskever, Vinyals & Le 2014, arXiv:1409.3215 (copy); Bahdanau, Cho &
 *   Bengio 2015, arXiv:1409.0473 (attention, dense bridge)
 * @example
 * const model = encoderDecoder({
 *   encoder: bidirectional(gru({ inputSize: 16, hiddenSize: 32 })),
 *   decoder: (inputSize) => gru({ inputSize, hiddenSize: 64 }),
 *   attention: additiveAttention({ querySize: 64, memorySize: 64 }),
 *   outputSize: 10,
 *   emit: emitArgmax,
 * });
 * const { outputs } = model.decode(params, model.encode(params, source), { targets });
 */
export function encoderDecoder<EncoderParams extends TensorTree, EncoderCarry extends TensorTree>(
  settings: EncoderDecoderSettings<EncoderParams, EncoderCarry>,
): EncoderDecoder<EncoderParams> {
  requireKnownKeys("encoderDecoder", settings, SETTING_NAMES);
  const { encoder, attention, embedding, outputSize, emit = emitOutput, condition = false } = settings;
  requireInteger("encoderDecoder", "outputSize", outputSize, 1);
  const feedbackSize = embedding?.outputSize ?? outputSize;
  const memorySize = attention?.memorySize ?? 0;
  const summaryFeatures = summarySize(encoder.initialCarry(1));
  const cell = settings.decoder((condition ? summaryFeatures : 0) + feedbackSize + memorySize);
  requireAttention(attention, encoder, cell);
  const bridge = bridgeOf(settings, encoder.initialCarry(1), cell.initialCarry(1));
  const head = dense({ inputSize: cell.outputSize + memorySize, outputSize });

  /** The decoder over a memory. With attention, its weights travel behind the outputs. */
  const decoderOver = (memory: AttentionMemory | undefined, chosen = emit): Decoder => {
    const common = { feedbackSize, ...(embedding && { embedding }) };
    if (!attention || !memory) return feedback({ ...common, cell, readout: head, emit: chosen });
    const attending = attentionCell(cell, attention, memory) as unknown as Cell<TensorTree, TensorTree>;
    const readout: Readout<DenseParams> = {
      inputSize: attending.outputSize,
      outputSize: outputSize + attending.outputSize - head.inputSize,
      init: head.init,
      apply: (params, y) =>
        concatenate([head.apply(params, slice(y, -1, 0, head.inputSize)), slice(y, -1, head.inputSize)]),
    };
    const ofOutput: Emission = (output, key) => chosen(slice(output, -1, 0, outputSize), key);
    return feedback({ ...common, cell: attending, readout, emit: ofOutput });
  };
  const unread = decoderOver(attention && { keys: zeros([1, 0, 1]), values: zeros([1, 0, memorySize]) });
  const bridgeTo = bridgeLayer(summaryFeatures, unread.initialCarry(1).cell);

  return {
    inputSize: encoder.inputSize,
    outputSize,
    init: (key, dtype) => {
      const [encoderKey, bridgeKey, decoderKey] = splitKey(key, 3);
      return {
        encoder: encoder.init(encoderKey, dtype),
        ...(bridge === "dense" && { bridge: bridgeTo.init(bridgeKey, dtype) }),
        decoder: unread.init(decoderKey, dtype),
      };
    },
    encode: (params, source, options = {}) => {
      const { key: _, ...padding } = options;
      const { outputs, carry: end } = encoder.apply(params.encoder, source, options);
      const summary = summaryOf(end);
      const first = unread.initialCarry(source.shape[1] as number, floatDTypeOf(params));
      const attentionParams = () => (params.decoder.cell as { readonly attention: TensorTree }).attention;
      return {
        carry: { ...first, cell: bridged(params.bridge, end, summary, first.cell) },
        ...(attention && { memory: attention.prepare(attentionParams(), outputs, padding) }),
        ...(condition && { summary }),
      };
    },
    decode: (params, { carry, memory, summary }, options) => {
      requireKnownKeys("encoderDecoder", options, DECODE_NAMES);
      const { length = options.targets?.shape[0], emit: chosen, ...run } = options;
      if (length === undefined) throw new OptionError("encoderDecoder: decode needs the option targets, or length");
      const batchSize = carry.fedBack.shape[0] as number;
      const inputs = summary ? { length, input: summary } : { length, batchSize };
      const result = decoderOver(memory, chosen).apply(params.decoder, inputs, { ...run, carry });
      return {
        ...result,
        outputs: slice(result.outputs, -1, 0, outputSize),
        ...(memory && { weights: slice(result.outputs, -1, outputSize) }),
      };
    },
    step: (params, { memory, summary }, carry, tokens) => {
      const decoder = decoderOver(memory);
      const fed = decoder.feedBack(params.decoder, carry, maximum(tokens, 0)).fedBack;
      const before = { ...carry, fedBack: select(expandDims(greaterEqual(tokens, 0), -1), fed, carry.fedBack) };
      const nothing = zeros([tokens.shape[0] as number, 0], fed.dtype);
      const [next, output] = decoder.freeRun.step(params.decoder, before, summary ?? nothing);
      return [next, slice(output, -1, 0, outputSize)];
    },
  };

  /** The decoder's carry before its first step. A copy leaves what is not the cell's as it is. */
  function bridged(params: DenseParams | undefined, end: TensorTree, summary: Tensor, first: TensorTree): TensorTree {
    if (bridge === "none") return first;
    if (params) return bridgeCarry(bridgeTo, params, summary, first);
    return attention ? { ...(first as Readonly<Record<string, TensorTree>>), cell: end } : end;
  }
}

type Decoder = FeedbackLayer<TensorTree, TensorTree, DenseParams>;

const DECODE_NAMES = [
  ...["length", "targets", "teacherForcing", "emit", "mask", "sequenceLengths", "key"],
] as const satisfies readonly string[];

function bridgeOf(
  { bridge, condition, attention }: EncoderDecoderSettings<TensorTree, TensorTree>,
  end: TensorTree,
  first: TensorTree,
): "copy" | "dense" | "none" {
  if (bridge !== undefined && !["copy", "dense", "none"].includes(bridge)) {
    throw new OptionError(`encoderDecoder: bridge must be "copy", "dense" or "none", but is "${bridge}"`);
  }
  const same = sameForm(end, first);
  if (bridge === "copy" && !same) {
    throw new OptionError(
      'encoderDecoder: the carries of encoder and decoder differ in their form, so none can be a copy; choose bridge "dense"',
    );
  }
  if (bridge === "none" && !condition && !attention) {
    throw new OptionError(
      "encoderDecoder: without a bridge, condition or attention the decoder would know nothing of the source; choose one",
    );
  }
  return bridge ?? (same ? "copy" : "dense");
}

function requireAttention(
  attention: Attention<TensorTree> | undefined,
  encoder: { readonly outputSize: number },
  decoder: { readonly outputSize: number },
): void {
  if (attention === undefined) return;
  const { querySize, memorySize } = attention;
  if (memorySize === encoder.outputSize && querySize === decoder.outputSize) return;
  throw new OptionError(
    `encoderDecoder: the attention takes queries of ${querySize} features and a memory of ${memorySize}, but the decoder ` +
      `gives ${decoder.outputSize} and the encoder ${encoder.outputSize}`,
  );
}
