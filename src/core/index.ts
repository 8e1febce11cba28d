/**
 * Errors, checks, nested records and random bits: what every other folder stands on.
 *
 * @module core
 */
export * from "./assert.js";
export * from "./compare-text.js";
export * from "./errors.js";
export { nearestName } from "./nearest-name.js";
export * from "./random.js";
export type { Repeated } from "./repeated.js";
export * from "./tree.js";
