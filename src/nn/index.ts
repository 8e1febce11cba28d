/**
 * Networks: cells, a cell over time, stacks and both directions, layers, losses, starting values.
 *
 * @module nn
 */
export * from "./activations.js";
export type { Cell } from "./cell.js";
export * from "./cells/index.js";
export * from "./connections/deep-transition.js";
export { type DelayedState, delayed } from "./connections/delayed.js";
export * from "./connections/feedback.js";
export * from "./connections/feedback-emission.js";
export type { FeedbackInputs } from "./connections/feedback-inputs.js";
export * from "./connections/stacked-cells.js";
export * from "./encoder-decoder/attention.js";
export * from "./encoder-decoder/attention-cell.js";
export * from "./encoder-decoder/encoder-decoder.js";
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
export { type Complex, complexMultiply } from "./linear-recurrence/complex.js";
export {
  type LinearCarry,
  type LinearCell,
  type LinearOf,
  type LinearRules,
  linearCell,
} from "./linear-recurrence/linear-cell.js";
export {
  type Linear,
  type LinearMethod,
  type LinearRecurrenceOptions,
  linearRecurrence,
} from "./linear-recurrence/linear-recurrence.js";
export { type LinearRecurrentSettings, linearRecurrent } from "./linear-recurrence/linear-recurrent.js";
export * from "./losses.js";
export * from "./recurrent/around-layer.js";
export * from "./recurrent/bidirectional.js";
export { firstOverTime, lastOverTime, meanOverTime, type Padding } from "./recurrent/over-time.js";
export * from "./recurrent/recurrent.js";
export { type RMLPOptions, rmlp } from "./recurrent/rmlp.js";
export * from "./recurrent/stacked.js";
export type { Rates } from "./regularization/rates.js";
export type { RecurrentDropout } from "./regularization/recurrent-dropout.js";
export * from "./standardize.js";
export type * from "./types.js";
