/** @module The language model: training problem, evaluation, and writing. */
export * from "./evaluate.js";
export * from "./generate.js";
export * from "./model.js";
