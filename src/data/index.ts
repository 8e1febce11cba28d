/**
 * Text as tokens: vocabularies, windows for training and evaluation, splits.
 *
 * @module data
 */
export * from "./evaluation-windows.js";
export * from "./ragged.js";
export * from "./split.js";
export * from "./text-stream.js";
export * from "./vocabulary.js";
export type { TextStream, TokenWindow, WindowOptions } from "./windows.js";
