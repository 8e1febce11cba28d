/**
 * How to learn through time: methods, optimizers, learning rates, clipping.
 *
 * @module learn
 */
export * from "./clipping.js";
export { bptt } from "./methods/bptt.js";
export type { GradientStep, LearningMethod, SequenceProblem } from "./methods/method.js";
export { type TruncatedBpttOptions, truncatedBptt } from "./methods/truncated-bptt.js";
export { type AdamOptions, type AdamWOptions, adam, adamW } from "./optimizers/adam.js";
export type { Optimizer, OptimizerState } from "./optimizers/optimizer.js";
export { type RmspropOptions, rmsprop } from "./optimizers/rmsprop.js";
export { type SgdOptions, sgd } from "./optimizers/sgd.js";
export { cosineDecay, exponentialDecay, type LearningRate, linearDecay, type Schedule, warmup } from "./schedules.js";
