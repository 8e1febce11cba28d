/** The thread of one seed; `experiment-threads.ts` starts it. */

import { parentPort, workerData } from "node:worker_threads";
import { ToolkitError } from "../core/index.js";
import { experimentById, runSeed } from "../experiments/index.js";
import type { SeedMessage, SeedTask } from "./experiment-threads.js";
import "./kernels.js";

const tell = (message: SeedMessage) => parentPort?.postMessage(message);
const { id, seed, options } = workerData as SeedTask;
try {
  const result = await runSeed(experimentById(id), seed, options, { onProgress: (progress) => tell({ progress }) });
  if (result) tell({ result });
} catch (error) {
  if (!(error instanceof ToolkitError)) throw error;
  tell({ code: error.code, message: error.message });
}
