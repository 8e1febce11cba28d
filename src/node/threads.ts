/** Threads in Node: for the kernels that have none of their own. */

import { Worker } from "node:worker_threads";
import type { StartThread } from "../runtime/index.js";

/** Starts a thread that keeps the process alive only as long as an answer is due. */
export const startNodeThread: StartThread = (script, { onMessage, onError }) => {
  // Flags of this process, such as --input-type, are about its own script.
  const worker = new Worker(`(${script})(require("node:worker_threads").parentPort)`, { eval: true, execArgv: [] });
  let due = 1; // the message that it runs
  worker.on("message", (message) => {
    due--;
    if (due === 0) worker.unref();
    onMessage(message);
  });
  worker.on("error", ({ message }) => onError(message)).on("exit", (code) => onError(`it ended with code ${code}`));
  return {
    post: (message, transfer) => {
      due++;
      worker.ref();
      worker.postMessage(message, transfer);
    },
    end: () => void worker.terminate(),
  };
};
