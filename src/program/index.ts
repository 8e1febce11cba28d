/**
 * The intermediate representation, the tracer that writes it, and the printer.
 *
 * @module program
 */
export * from "./evaluate-body.js";
export * from "./print.js";
export * from "./program.js";
export * from "./prune.js";
export { bind, evaluateProgram, inline, isTracing, lift, type TracedProgram, TracedTensor, trace } from "./trace.js";
