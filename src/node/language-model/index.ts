/** @module Language model runs on the disk. */
export * from "./config.js";
export * from "./corpus.js";
export * from "./run.js";
