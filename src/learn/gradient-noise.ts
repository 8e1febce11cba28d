/** Noise on gradients, which fades as training goes on. */

import { requireKnownKeys, requireNumber } from "../core/index.js";
import { add, cast, foldIn, multiply, normal, power } from "../ops/index.js";
import { type FloatDType, isFloat, mapTensors } from "../tensor/index.js";
import type { GradientTransform } from "./clipping.js";

/** How strong, and how it fades. */
export interface GradientNoiseOptions {
  /** Variance at the first update, above 0. */
  readonly variance: number;
  /** Exponent of the decay, at least 0. @default 0.55 */
  readonly decay?: number;
}

/** Sets the keys of the noise apart from those of other random things in an update. */
const NOISE = 0x6e6f6973;

/**
 * Adds normal noise to every component of a gradient:  g + N(0, variance / (1 + updates)^decay)
 * @throws OptionError if an option is out of range
 * @see Neelakantan et al. 2015, arXiv:1511.06807
 * @example train({ transforms: [clipByNorm(1), gradientNoise({ variance: 0.01 })], ... })
 */
export function gradientNoise(options: GradientNoiseOptions): GradientTransform {
  requireKnownKeys("gradientNoise", options, ["variance", "decay"]);
  const { variance, decay = 0.55 } = options;
  requireNumber("gradientNoise", "variance", variance, { above: 0 });
  requireNumber("gradientNoise", "decay", decay, { from: 0 });
  return (gradient, { key, updates }) => {
    const noiseKey = foldIn(key, NOISE);
    let place = 0;
    return mapTensors((leaf) => {
      if (!isFloat(leaf.dtype)) return leaf;
      const dtype = leaf.dtype as FloatDType;
      const deviation = multiply(power(add(cast(updates, dtype), 1), -decay / 2), Math.sqrt(variance));
      return add(leaf, multiply(normal(foldIn(noiseKey, place++), leaf.shape, dtype), deviation));
    }, gradient);
  };
}
