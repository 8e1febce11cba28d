/** Sequences of different lengths as one batch. */

import { DataError, OptionError, requireInteger } from "../core/index.js";
import { allocate, HostTensor, type Tensor } from "../tensor/index.js";

/** A sequence: a token a step (whole numbers), or a row of features a step. */
export type RaggedSequence = ArrayLike<number> | readonly ArrayLike<number>[];

/** A padded batch, and what of it is real. */
export type RaggedBatch = {
  /** Tokens, int32 `[time, batch]`, or features, float32 `[time, batch, features]`; 0 in the padding. */
  readonly values: Tensor;
  /** int32 `[batch]` */
  readonly sequenceLengths: Tensor;
  /** int32 `[time, batch]`, 1 = real, 0 = padding: the same, in the form that shards of a batch can share. */
  readonly mask: Tensor;
};

/**
 * Puts sequences side by side, padded at their ends.
 * @param options.length steps of the batch. Batches of equal lengths share one compiled step. Default: the longest sequence
 * @throws DataError if there is no sequence, a row has another width, tokens and rows are mixed, or a token is no int32
 * @throws OptionError if a sequence is longer than `length`
 * @example raggedBatch([[3, 1, 2], [5]]).values   // int32[3,2] [[3,5],[1,0],[2,0]]
 */
export function raggedBatch(
  sequences: readonly RaggedSequence[],
  options: { readonly length?: number } = {},
): RaggedBatch {
  const batchSize = sequences.length;
  if (batchSize === 0) throw new DataError("raggedBatch: needs at least one sequence");
  const longest = sequences.reduce((most, { length }) => Math.max(most, length), 0);
  const { length: time = longest } = options;
  requireInteger("raggedBatch", "length", time, 0);
  if (longest > time)
    throw new OptionError(`raggedBatch: a sequence has ${longest} steps, but length is ${time}; make it at least that`);

  const width = widthOf(sequences);
  const values = allocate(width === undefined ? "int32" : "float32", time * batchSize * (width ?? 1));
  const mask = new Int32Array(time * batchSize);
  sequences.forEach((sequence, row) => {
    for (let t = 0; t < sequence.length; t++) {
      const [place, step] = [t * batchSize + row, sequence[t] as number | ArrayLike<number>];
      mask[place] = 1;
      if (typeof step === "number") values[place] = requireToken(step, row, t, width);
      else values.set(requireRow(step, row, t, width), place * (width as number));
    }
  });
  const steps = [time, batchSize];
  return {
    values: new HostTensor(
      width === undefined ? { dtype: "int32", shape: steps } : { dtype: "float32", shape: [...steps, width] },
      values,
    ),
    sequenceLengths: new HostTensor(
      { dtype: "int32", shape: [batchSize] },
      Int32Array.from(sequences, ({ length }) => length),
    ),
    mask: new HostTensor({ dtype: "int32", shape: steps }, mask),
  };
}

/** Features of a step; undefined for tokens. */
function widthOf(sequences: readonly RaggedSequence[]): number | undefined {
  const first = sequences.find(({ length }) => length > 0)?.[0];
  return first === undefined || typeof first === "number" ? undefined : first.length;
}

function requireToken(token: number, row: number, t: number, width: number | undefined): number {
  if (width === undefined && (token | 0) === token) return token;
  const expected =
    width === undefined ? `a token (a whole number), or a row: [${token}]` : `a row of ${width} features`;
  throw new DataError(`raggedBatch: step ${t} of sequence ${row} is ${token}; it must be ${expected}`);
}

function requireRow(step: ArrayLike<number>, row: number, t: number, width: number | undefined): ArrayLike<number> {
  if (step.length === width) return step;
  const expected = width === undefined ? "a token (a whole number)" : `a row of ${width} features`;
  throw new DataError(`raggedBatch: step ${t} of sequence ${row} has ${step.length} features; it must be ${expected}`);
}

/**
 * Groups sequences of similar lengths, so that little is padded: indices sorted by length, cut into batches.
 * @param lengths of all sequences
 * @param batchSize sequences of a batch, at least 1; the last batch may have fewer
 * @returns indices into `lengths`, batch after batch; of equal lengths the first comes first
 */
export function batchesByLength(lengths: ArrayLike<number>, batchSize: number): number[][] {
  requireInteger("batchesByLength", "batchSize", batchSize, 1);
  const order = Array.from(lengths, (_, index) => index).sort(
    (a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b,
  );
  return Array.from({ length: Math.ceil(order.length / batchSize) }, (_, batch) =>
    order.slice(batch * batchSize, (batch + 1) * batchSize),
  );
}
