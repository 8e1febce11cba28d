/**
 * Files and the folders of runs: what needs Node.
 *
 * @module node
 */
export { findExperimentResult, foldersOfResults, saveExperimentResult } from "./experiment-results.js";
export { runSeeds, type SeedsWatch } from "./experiment-threads.js";
export { type FileSystem, nodeFileSystem, type OpenFile } from "./file-system.js";
export { readBytes, readText, requireNoFile, writeFileAtomically } from "./files.js";
export { chooseInstructions, findKernels, KERNEL_NAMES, type KernelName, kernelsNamed } from "./kernels.js";
export * from "./language-model/index.js";
export type { MetricsRecord } from "./metrics.js";
export { makeFolder, readBinary, safeFileNames } from "./model-files.js";
export { chooseVariant, type LoadedAddon, nativeAddon } from "./native-addon.js";
export { measurePeak } from "./peak.js";
export * from "./run-folder.js";
