/** What is told to those who ask for threads where there are none. */

import type { Kernels } from "./kernels.js";

/** Why calls together run one after the other on these kernels here; undefined if they have threads. */
export async function whyNoThreads(kernels: Kernels): Promise<string | undefined> {
  if (kernels.runTogether) return undefined;
  const crew = await kernels.startCrew?.(1);
  if (crew === undefined) return `the ${kernels.name} kernels have no threads`;
  if ("reason" in crew) return crew.reason;
  crew.end();
  return undefined;
}
