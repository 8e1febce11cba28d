/** Reproducible numbers: every competitor starts from the same weights and data, so their losses can be compared. */

import { GATES, layerInputSize, READOUT_SIZE, type RecurrentWorkload } from "./workloads.js";

/**
 * Numbers in [-scale, scale) from a hash of their position, all in 32-bit integers, so that every language gives the same.
 * `peers/workload_numbers.py` has the same one.
 */
export function hashedNumbers(count: number, seed: number, scale: number): Float32Array<ArrayBuffer> {
  const salt = Math.imul(seed, 0x3c6ef35f);
  return Float32Array.from({ length: count }, (_, index) => {
    let bits = Math.imul(index + 1, 0x1d872b41) ^ salt;
    bits = Math.imul(bits ^ (bits >>> 15), 0x5bd1e995);
    bits = Math.imul(bits ^ (bits >>> 13), 0x27d4eb2f);
    bits = (bits ^ (bits >>> 16)) >>> 0;
    return ((bits / 2 ** 32) * 2 - 1) * scale;
  });
}

/** Weights of one layer, input-major; gate blocks i, f, g, o side by side (GRU: r, z, n). */
export interface LayerWeights {
  /** `[inputSize, gates*hiddenSize]` */
  readonly input: Float32Array<ArrayBuffer>;
  /** `[hiddenSize, gates*hiddenSize]` */
  readonly recurrent: Float32Array<ArrayBuffer>;
  /** `[gates*hiddenSize]` */
  readonly bias: Float32Array<ArrayBuffer>;
  /** `[hiddenSize]` each, for the gates i, f, o; used by the peephole cell alone */
  readonly peepholes: readonly Float32Array<ArrayBuffer>[];
}

const scaleOf = ({ hiddenSize }: RecurrentWorkload): number => 1 / Math.sqrt(hiddenSize);

/** Starting weights of a layer. */
export function layerWeights(workload: RecurrentWorkload, layer: number): LayerWeights {
  const { cell, hiddenSize } = workload;
  const [columns, scale, seed] = [GATES[cell] * hiddenSize, scaleOf(workload), 10 * layer];
  return {
    input: hashedNumbers(layerInputSize(workload, layer) * columns, seed + 1, scale),
    recurrent: hashedNumbers(hiddenSize * columns, seed + 2, scale),
    bias: hashedNumbers(columns, seed + 3, scale),
    peepholes: [4, 5, 6].map((offset) => hashedNumbers(hiddenSize, seed + offset, scale)),
  };
}

/** Starting weights of the readout: `weight [hiddenSize, outputs]` and `bias [outputs]`. */
export const readoutWeights = (workload: RecurrentWorkload) => ({
  weight: hashedNumbers(workload.hiddenSize * READOUT_SIZE, 901, scaleOf(workload)),
  bias: hashedNumbers(READOUT_SIZE, 902, scaleOf(workload)),
});

/** `[time, batch, inputSize]` */
export const inputNumbers = ({ time, batch, inputSize }: RecurrentWorkload): Float32Array<ArrayBuffer> =>
  hashedNumbers(time * batch * inputSize, 903, 1);

/** `[batch, outputs]` */
export const targetNumbers = ({ batch }: RecurrentWorkload): Float32Array<ArrayBuffer> =>
  hashedNumbers(batch * READOUT_SIZE, 904, 1);

/** The two factors of a matrix product. */
export const productNumbers = ({ rows, inner, columns }: { rows: number; inner: number; columns: number }) => ({
  left: hashedNumbers(rows * inner, 905, 1),
  right: hashedNumbers(inner * columns, 906, 1),
});

/** The mean of the absolute values: one number that tells whether two competitors computed the same. */
export const meanAbsolute = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((total, value) => total + Math.abs(value), 0) / values.length;
