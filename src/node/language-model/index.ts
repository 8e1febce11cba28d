/**
 * Language model runs on the disk.
 *
 * @module node/language-model
 */
export * from "./config.js";
export * from "./corpus.js";
export * from "./exchange.js";
export * from "./run.js";
