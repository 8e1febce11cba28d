/**
 * The things people come for.
 *
 * @module tasks
 */
export * from "./beam-search.js";
export * from "./language-model/index.js";
export * from "./sequence-classifier/index.js";
export * from "./translator/index.js";
