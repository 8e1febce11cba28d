/**
 * The language model: training problem, evaluation, and writing.
 *
 * @module tasks/language-model
 */
export * from "./beam.js";
export * from "./diagnose.js";
export * from "./evaluate.js";
export * from "./exchange.js";
export * from "./generate.js";
export * from "./model.js";
