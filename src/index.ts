/**
 * Through Time: recurrent neural networks. You write one step; the toolkit derives the rest.
 *
 * @module through-time
 */
export * from "./core/index.js";
export * from "./data/index.js";
export * from "./io/index.js";
export * from "./learn/index.js";
export * from "./nn/index.js";
export * from "./ops/index.js";
export * from "./plots/index.js";
export { printProgram } from "./program/index.js";
export { type CompiledFunction, type CompileOptions, compile } from "./runtime/index.js";
export * from "./scan/index.js";
export * from "./streaming/index.js";
export * from "./tasks/index.js";
export * from "./tensor/index.js";
export * from "./train/index.js";
export {
  type BackwardGiven,
  checkGradients,
  customGradient,
  type ForwardResult,
  type GradientCheck,
  type GradientCheckOptions,
  grad,
  jvp,
  valueAndGrad,
  vjp,
} from "./transforms/index.js";
