/** Threads of the host: Workers, unless it says how else it starts one. */

/** A thread that runs a script. */
export interface HostThread {
  /** Sends it a message, which it answers with one. The buffers of `transfer` go over to it. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Ends it, whatever it is doing. */
  end(): void;
}

/** Who listens to a thread. */
export interface ThreadListener {
  /** It answered. */
  readonly onMessage: (message: unknown) => void;
  /** It could not be started, or it failed. */
  readonly onError: (reason: string) => void;
}

/**
 * Starts a thread, which must not keep the process alive while it has nothing to answer. The script says that it runs with a first message.
 * @param script the text of a function of one argument: a port with `onmessage` and `postMessage(message, transfer)`
 * @throws anything, if it cannot be started
 */
export type StartThread = (script: string, listener: ThreadListener) => HostThread;

let start: StartThread = startWorker;

/** Says how threads are started from now on. "through-time" in Node does so. @param startThread undefined: as Workers */
export function provideThreads(startThread: StartThread | undefined): void {
  start = startThread ?? startWorker;
}

/** Starts a thread. */
export const startThread: StartThread = (script, listener) => start(script, listener);

/** The script lies in a blob, so that there is no file which bundlers and servers have to know of. */
function startWorker(script: string, { onMessage, onError }: ThreadListener): HostThread {
  if (typeof Worker === "undefined") throw new Error("this JavaScript engine has no Workers");
  const address = URL.createObjectURL(new Blob([`(${script})(self)`], { type: "text/javascript" }));
  const worker = new Worker(address);
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(address);
    onMessage(data);
  };
  worker.onerror = ({ message }) =>
    onError(message || "the page may not start Workers; its Content-Security-Policy must allow worker-src blob:");
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    end: () => worker.terminate(),
  };
}
