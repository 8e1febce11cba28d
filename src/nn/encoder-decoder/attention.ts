/** Attention: a weighted mean of the steps of a sequence, weighted by how well each fits a query. */

import { requireInteger, requireKnownKeys, ShapeError } from "../../core/index.js";
import {
  add,
  expandDims,
  matmul,
  multiply,
  select,
  splitKey,
  squeeze,
  tanh,
  transpose,
  zeros,
} from "../../ops/index.js";
import { paddingMask } from "../../scan/index.js";
import { type FloatDType, formatType, type Tensor, type TensorTree } from "../../tensor/index.js";
import { softmax } from "../activations.js";
import { glorotUniform } from "../init.js";
import { linear } from "../linear.js";

/** A sequence made ready to be attended to. */
export type AttentionMemory = {
  /** What queries are compared with, `[batch, time, keySize]`. */
  readonly keys: Tensor;
  /** What is averaged, `[batch, time, memorySize]`. */
  readonly values: Tensor;
  /** int32 `[batch, time]`, 1 = real, 0 = padding; absent if all steps are real. */
  readonly mask?: Tensor;
};

/** What attention gives: the mean, and the weights that it was taken with. */
export type Attended = {
  /** `[batch, memorySize]`; 0 for a sequence without a real step */
  readonly context: Tensor;
  /** `[batch, time]`, not negative, with sum 1; 0 on padding */
  readonly weights: Tensor;
};

/** A way to attend. The work that does not depend on the query is done once, by `prepare`. */
export interface Attention<Params extends TensorTree> {
  readonly querySize: number;
  readonly memorySize: number;
  /** Starting parameters, concrete. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): Params;
  /**
   * Does the work that is the same for all queries.
   * @param memory `[time, batch, memorySize]`; what stands in its padding has no influence
   * @param padding `mask` int32 `[time, batch]`, or `sequenceLengths` int32 `[batch]`. Default: all steps are real
   */
  prepare(
    params: Params,
    memory: Tensor,
    padding?: { readonly mask?: Tensor; readonly sequenceLengths?: Tensor },
  ): AttentionMemory;
  /** Asks. @param query `[batch, querySize]` */
  attend(params: Params, memory: AttentionMemory, query: Tensor): Attended;
}

/** Sizes of what asks and of what is asked. */
export interface AttentionOptions {
  readonly querySize: number;
  readonly memorySize: number;
}

/** `weightQuery [hiddenSize, querySize]`, `weightKey [hiddenSize, memorySize]`, `bias [hiddenSize]`, `weightScore [1, hiddenSize]` */
export type AdditiveAttentionParams = {
  readonly weightQuery: Tensor;
  readonly weightKey: Tensor;
  readonly bias: Tensor;
  readonly weightScore: Tensor;
};

/**
 * Attention by a small network. For query q and the steps m_s of the memory:
 *
 *   e_s = vᵀ tanh(W q + U m_s + b)      a = softmax(e)      context = Σ_s a_s m_s
 *
 * @param options.hiddenSize units of the network. Default `querySize`
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Bahdanau, Cho & Bengio 2015, arXiv:1409.0473, appendix A.1.2
 * @example const attention = additiveAttention({ querySize: 64, memorySize: 128 });
 */
export function additiveAttention(
  options: AttentionOptions & { readonly hiddenSize?: number },
): Attention<AdditiveAttentionParams> {
  requireKnownKeys("additiveAttention", options, ["querySize", "memorySize", "hiddenSize"]);
  const { querySize, memorySize, hiddenSize = querySize } = options;
  requireSizes("additiveAttention", { querySize, memorySize, hiddenSize });
  return {
    querySize,
    memorySize,
    init: (key, dtype = "float32") => {
      const [queryKey, keyKey, scoreKey] = splitKey(key, 3);
      return {
        weightQuery: glorotUniform(queryKey, [hiddenSize, querySize], dtype),
        weightKey: glorotUniform(keyKey, [hiddenSize, memorySize], dtype),
        bias: zeros([hiddenSize], dtype),
        weightScore: glorotUniform(scoreKey, [1, hiddenSize], dtype),
      };
    },
    prepare: ({ weightKey, bias }, memory, padding) =>
      prepare(memory, memorySize, padding, (values) => linear(values, weightKey, bias)),
    attend: ({ weightQuery, weightScore }, memory, query) => {
      requireQuery(query, querySize, memory);
      const hidden = tanh(add(expandDims(linear(query, weightQuery), 1), memory.keys));
      return average(memory, squeeze(linear(hidden, weightScore), -1));
    },
  };
}

/**
 * Attention by the dot product with the query:  e_s = mₛᵀ q, and from there as in `additiveAttention`.
 * @param options.size features of query and memory, which agree
 * @param options.scaled divides scores by √size, which keeps the softmax soft for long vectors. Default false
 * @throws OptionError if the size is not a whole number of at least 1, or an option is unknown
 * @see Luong, Pham & Manning 2015, arXiv:1508.04025; scaled: Vaswani et al. 2017, arXiv:1706.03762
 */
export function dotAttention(options: { readonly size: number; readonly scaled?: boolean }): Attention<readonly []> {
  requireKnownKeys("dotAttention", options, ["size", "scaled"]);
  const { size, scaled = false } = options;
  requireSizes("dotAttention", { size });
  return {
    querySize: size,
    memorySize: size,
    init: () => [],
    prepare: (_, memory, padding) => prepare(memory, size, padding, (values) => values),
    attend: (_, memory, query) => {
      requireQuery(query, size, memory);
      return average(memory, products(memory, scaled ? multiply(query, 1 / Math.sqrt(size)) : query));
    },
  };
}

/** `weight [memorySize, querySize]` */
export type GeneralAttentionParams = { readonly weight: Tensor };

/**
 * Attention by a bilinear form:  e_s = mₛᵀ W q, and from there as in `additiveAttention`.
 * @throws OptionError if a size is not a whole number of at least 1, or an option is unknown
 * @see Luong, Pham & Manning 2015, arXiv:1508.04025, "general"
 */
export function generalAttention(options: AttentionOptions): Attention<GeneralAttentionParams> {
  requireKnownKeys("generalAttention", options, ["querySize", "memorySize"]);
  const { querySize, memorySize } = options;
  requireSizes("generalAttention", { querySize, memorySize });
  return {
    querySize,
    memorySize,
    init: (key, dtype = "float32") => ({ weight: glorotUniform(key, [memorySize, querySize], dtype) }),
    prepare: (_, memory, padding) => prepare(memory, memorySize, padding, (values) => values),
    attend: ({ weight }, memory, query) => {
      requireQuery(query, querySize, memory);
      return average(memory, products(memory, linear(query, weight)));
    },
  };
}

function prepare(
  memory: Tensor,
  memorySize: number,
  padding: { readonly mask?: Tensor; readonly sequenceLengths?: Tensor } = {},
  keysOf: (values: Tensor) => Tensor,
): AttentionMemory {
  requireKnownKeys("attention", padding, ["mask", "sequenceLengths"]);
  if (memory.shape.length !== 3 || memory.shape[2] !== memorySize)
    throw new ShapeError(`attention: the memory must be [time,batch,${memorySize}], but is ${formatType(memory)}`);
  const real = paddingMask(padding, memory.shape[0] as number);
  const values = transpose(real ? select(expandDims(real, -1), memory, 0) : memory, [1, 0, 2]);
  return { keys: keysOf(values), values, ...(real && { mask: transpose(real) }) };
}

/** keys_s · q for every step: `[batch, time]` */
const products = ({ keys }: AttentionMemory, query: Tensor): Tensor => squeeze(matmul(keys, expandDims(query, -1)), -1);

/** Smaller than any score, but finite: the softmax of nothing but padding is no NaN. */
const NEVER = -1e30;

function average({ values, mask }: AttentionMemory, scores: Tensor): Attended {
  const weights = mask ? select(mask, softmax(select(mask, scores, NEVER)), 0) : softmax(scores);
  return { context: squeeze(matmul(expandDims(weights, 1), values), 1), weights };
}

function requireSizes(where: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) requireInteger(where, name, size, 1);
}

function requireQuery(query: Tensor, querySize: number, { values }: AttentionMemory): void {
  if (query.shape.length === 2 && query.shape[0] === values.shape[0] && query.shape[1] === querySize) return;
  throw new ShapeError(
    `attention: the query must be [${values.shape[0]},${querySize}], a row for each sequence, but is ${formatType(query)}`,
  );
}
