/** What a network feeds back of its own output: the output itself, probabilities, or a token that it chooses. */

import { OptionError, requireNumber } from "../../core/index.js";
import { argmax, divide, log, negate, subtract, uniform } from "../../ops/index.js";
import { type FloatDType, formatType, type Tensor } from "../../tensor/index.js";
import { softmax } from "../activations.js";

/**
 * Turns the output of a step into what is fed back: float `[batch, size]`, or tokens, int32 `[batch]`.
 * @param output `[batch, outputSize]`
 * @param key for what is random; undefined when `apply` was given none
 */
export type Emission = (output: Tensor, key?: Tensor) => Tensor;

/** The output as it is, for regression:  v = o */
export const emitOutput: Emission = (output) => output;

/** The probabilities of the classes:  v = softmax(o) */
export const emitSoftmax: Emission = (output) => softmax(output);

/** The likeliest token:  v = argmax o. No gradient passes through the choice. */
export const emitArgmax: Emission = (output) => argmax(output);

/**
 * A token drawn from  p_i ∝ exp(o_i / temperature). No gradient passes through the choice.
 * @param settings.temperature above 0; below 1 safer, above 1 wilder. Default 1
 */
export function emitSample(settings: { readonly temperature?: number } = {}): Emission {
  const { temperature = 1 } = settings;
  requireNumber("emitSample", "temperature", temperature, { above: 0 });
  return (output, key) => {
    if (key === undefined) throw new OptionError("emitSample: drawing tokens needs the option key");
    return categorical(key, divide(output, temperature));
  };
}

/**
 * Draws an index from each row of logits by the largest of noisy logits:
 *
 *   argmax_i (z_i - log(-log u_i)),   u_i uniform in [0, 1)        P(i) = softmax(z)_i
 *
 * @param logits `[..., classes]`
 * @returns int32 `[...]`
 * @see Gumbel 1954; Maddison, Tarlow & Minka 2014, arXiv:1411.0030
 */
export function categorical(key: Tensor, logits: Tensor): Tensor {
  const { dtype, shape } = logits;
  if (dtype === "int32" || shape.length === 0)
    throw new OptionError(`categorical: needs float logits [..., classes], but was given ${formatType(logits)}`);
  return argmax(subtract(logits, log(negate(log(uniform(key, shape, dtype as FloatDType))))));
}
