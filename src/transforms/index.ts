/**
 * Derivatives of Programs and of functions over trees: reverse mode, forward mode, gradient checking.
 *
 * @module transforms
 */
export * from "./activity.js";
export * from "./check-gradients.js";
export { type BackwardGiven, bindExpanded, customGradient, type ForwardResult, isCustom } from "./custom-gradient.js";
export * from "./derivatives.js";
export * from "./forward-mode.js";
export * from "./reverse-mode.js";
export * from "./trace-tree.js";
