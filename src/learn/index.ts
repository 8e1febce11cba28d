/**
 * How to learn through time: methods, optimizers, learning rates, clipping.
 *
 * @module learn
 */
export * from "./clipping.js";

export { type GateSaturation, type GateSaturationOptions, gateSaturation } from "./diagnostics/gate-saturation.js";
export { type GradientFlow, gradientFlow } from "./diagnostics/gradient-flow.js";
export { lyapunovExponent } from "./diagnostics/lyapunov-exponent.js";
export { type SquareMatrix, spectralRadius } from "./diagnostics/matrices.js";
export type { OneSequenceOptions } from "./diagnostics/one-sequence.js";
export {
  exponentialForcing,
  type ForcingSchedule,
  inverseSigmoidForcing,
  linearForcing,
} from "./forcing.js";
export { type GradientNoiseOptions, gradientNoise } from "./gradient-noise.js";

export { bptt } from "./methods/bptt.js";
export { type EPropOptions, eProp } from "./methods/e-prop.js";
export type { GradientStep, LearningMethod, SequenceProblem } from "./methods/method.js";
export { type RfloOptions, rflo } from "./methods/rflo.js";
export { rtrl } from "./methods/rtrl.js";
export { type SnapOptions, snap } from "./methods/snap.js";
export { type TruncatedBpttOptions, truncatedBptt } from "./methods/truncated-bptt.js";
export { type TruncatedGradient1997Options, truncatedGradient1997 } from "./methods/truncated-gradient-1997.js";
export { uoro } from "./methods/uoro.js";
export { type AdamOptions, type AdamWOptions, adam, adamW } from "./optimizers/adam.js";
export { constrained } from "./optimizers/constrained.js";
export type { Optimizer, OptimizerState } from "./optimizers/optimizer.js";
export { type RmspropOptions, rmsprop } from "./optimizers/rmsprop.js";
export { type SgdOptions, sgd } from "./optimizers/sgd.js";
export { type JacobianNormOptions, withJacobianNorm } from "./regularizers/jacobian-norm.js";
export { cosineDecay, exponentialDecay, type LearningRate, linearDecay, type Schedule, warmup } from "./schedules.js";
