/**
 * Classes for sequences: one for a whole sequence, or one for each step.
 *
 * @module tasks/sequence-classifier
 */
export * from "./classifier.js";
export type { SequenceReaderOptions, SequenceReaderParams } from "./reader.js";
export * from "./tagger.js";
