/** Random numbers one by one, for sequences that are made symbol by symbol. */

import { normalQuantile, threefry2x32 } from "../../core/index.js";

/** A stream of random numbers. */
export interface RandomSource {
  /** Equally likely in [0, 1). */
  uniform(): number;
  /** A whole number in [from, below), all equally likely. */
  integer(from: number, below: number): number;
  /** 1 or 0, equally likely. */
  bit(): number;
  /** Normal, with mean 0. @param deviation standard deviation */
  normal(deviation: number): number;
}

/**
 * The stream of a seed: the same numbers on every engine.
 * @param stream number of the stream; streams of one seed have nothing to do with each other
 */
export function randomSource(seed: number, stream: number): RandomSource {
  const words = new Int32Array(2);
  let drawn = 0;
  /** 24 random bits. */
  const bits = (): number => {
    if (drawn % 2 === 0) threefry2x32(seed, stream, drawn / 2, Math.floor(drawn / 2 ** 33), words);
    return (words[drawn++ % 2] as number) >>> 8;
  };
  const uniform = () => bits() / 2 ** 24;
  const integer = (from: number, below: number) => from + Math.floor(uniform() * (below - from));
  return {
    uniform,
    integer,
    bit: () => integer(0, 2),
    normal: (deviation) => deviation * normalQuantile((bits() + 0.5) / 2 ** 24),
  };
}
