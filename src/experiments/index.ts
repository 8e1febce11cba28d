/**
 * The literature's experiments, to be repeated, with the literature's figures beside ours.
 *
 * @module experiments
 */
export * from "./experiment.js";
export * from "./registry.js";
export * from "./report.js";
export * from "./run-experiment.js";
