/**
 * The translator: from sequences of tokens to sequences of other tokens.
 *
 * @module tasks/translator
 */
export * from "./batch.js";
export * from "./model.js";
export * from "./translate.js";
