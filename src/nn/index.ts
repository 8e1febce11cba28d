/**
 * Networks: cells, a cell over time, stacks and both directions, layers, losses, starting values.
 *
 * @module nn
 */
export * from "./activations.js";
export * from "./around-layer.js";
export * from "./attention.js";
export * from "./attention-cell.js";
export * from "./bidirectional.js";
export type { Cell } from "./cell.js";
export * from "./cells/index.js";
export { type Complex, complexMultiply } from "./complex.js";
export * from "./deep-transition.js";
export { type DelayedState, delayed } from "./delayed.js";
export * from "./encoder-decoder.js";
export * from "./feedback.js";
export * from "./feedback-emission.js";
export type { FeedbackInputs } from "./feedback-inputs.js";
export { floatDTypeOf } from "./float-dtype.js";
export * from "./init.js";
export * from "./layers/batch-norm.js";
export * from "./layers/convolution-1d.js";
export * from "./layers/convolution-2d.js";
export type { ConvolutionParams } from "./layers/convolution-options.js";
export * from "./layers/convolution-separable.js";
export * from "./layers/dense.js";
export * from "./layers/dropout.js";
export * from "./layers/embedding.js";
export * from "./layers/layer-norm.js";
export * from "./layers/mlp.js";
export * from "./layers/pooling.js";
export type { WindowSteps, WindowStepsOptions } from "./layers/window-steps.js";
export * from "./linear.js";
export { type LinearCarry, type LinearCell, type LinearOf, type LinearRules, linearCell } from "./linear-cell.js";
export {
  type Linear,
  type LinearMethod,
  type LinearRecurrenceOptions,
  linearRecurrence,
} from "./linear-recurrence.js";
export { type LinearRecurrentSettings, linearRecurrent } from "./linear-recurrent.js";
export * from "./losses.js";
export { firstOverTime, lastOverTime, meanOverTime, type Padding } from "./over-time.js";
export * from "./recurrent.js";
export type { Rates } from "./regularization/rates.js";
export type { RecurrentDropout } from "./regularization/recurrent-dropout.js";
export { type RMLPOptions, rmlp } from "./rmlp.js";
export * from "./stacked.js";
export * from "./standardize.js";
