/**
 * The things people come for.
 *
 * @module tasks
 */
export * from "./language-model/index.js";
