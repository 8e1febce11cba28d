/** Windows into parallel streams of tokens: what one training or evaluation step reads. */

import { requireInteger } from "../core/index.js";
import { HostTensor, type Tensor } from "../tensor/index.js";

/** A piece of every stream. All are int32 [windowLength, batchSize]; what lies past a stream's end is 0 in each. */
export type TokenWindow = {
  readonly inputs: Tensor;
  /** The token after each input. */
  readonly targets: Tensor;
  /** 1 where there is an input with its target, 0 where the window is padded. */
  readonly mask: Tensor;
  /** 1 where the carry starts afresh: the first step of an epoch's first window. */
  readonly resetMask: Tensor;
};

/** A text as windows, as a pure function of the position, so that resuming continues exactly. */
export interface TextStream {
  /** How many windows it takes until every stream is read once; at least 1. */
  readonly windowsPerEpoch: number;
  /** How many targets one epoch has. */
  readonly targetsPerEpoch: number;
  /**
   * Window number `position`, counted from 0 through all epochs: `position % windowsPerEpoch` is its place in its epoch.
   * @throws OptionError unless `position` is a whole number of at least 0
   */
  window(position: number): TokenWindow;
}

/** The sizes of windows. */
export interface WindowOptions {
  /** How many streams are read side by side, at least 1. */
  readonly batchSize: number;
  /** Time steps per window, at least 1. */
  readonly windowLength: number;
}

/** @throws OptionError unless both sizes are whole numbers of at least 1 */
export function requireWindowOptions(where: string, { batchSize, windowLength }: WindowOptions): void {
  requireInteger(where, "batchSize", batchSize, 1);
  requireInteger(where, "windowLength", windowLength, 1);
}

/**
 * Reads streams side by side, `windowLength` steps at a time.
 * @param starts where each stream begins in `tokens`, and after the last one where it ends: [batchSize+1]. Stream b
 *   has the inputs `starts[b]` to `starts[b+1]-1`; the last target is token `starts[batchSize]`
 */
export function windowsOf(tokens: Int32Array, starts: readonly number[], windowLength: number): TextStream {
  const batchSize = starts.length - 1;
  const lengthOf = (row: number): number => (starts[row + 1] as number) - (starts[row] as number);
  const longest = starts.slice(1).reduce((length, _, row) => Math.max(length, lengthOf(row)), 0);
  const windowsPerEpoch = Math.ceil(longest / windowLength);
  const shape = [windowLength, batchSize];
  const fill = (): Int32Array => new Int32Array(windowLength * batchSize);
  const int32 = (data: Int32Array): HostTensor => new HostTensor({ dtype: "int32", shape }, data);

  const window = (position: number): TokenWindow => {
    requireInteger("window", "position", position, 0);
    const place = position % windowsPerEpoch;
    const [inputs, targets, mask, resetMask] = [fill(), fill(), fill(), fill()];
    for (let row = 0; row < batchSize; row++) {
      const first = place * windowLength;
      const steps = Math.min(windowLength, lengthOf(row) - first);
      const source = (starts[row] as number) + first;
      for (let time = 0; time < steps; time++) {
        const cell = time * batchSize + row;
        inputs[cell] = tokens[source + time] as number;
        targets[cell] = tokens[source + time + 1] as number;
        mask[cell] = 1;
      }
    }
    if (place === 0) resetMask.fill(1, 0, batchSize);
    return { inputs: int32(inputs), targets: int32(targets), mask: int32(mask), resetMask: int32(resetMask) };
  };
  return { windowsPerEpoch, targetsPerEpoch: (starts[batchSize] as number) - (starts[0] as number), window };
}
