/** What was seen in the last steps, in one tensor `[batch, steps * size]`: the newest first. */

import { OptionError, requireInteger } from "../../core/index.js";
import { concatenate, slice } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

/** What came `delay` steps ago, `[batch, size]`. */
export const delayedBy = (line: Tensor, delay: number, size: number): Tensor =>
  slice(line, 1, (delay - 1) * size, delay * size);

/** The line one step later. The oldest leaves. */
export const pushDelay = (line: Tensor, newest: Tensor): Tensor => {
  const size = newest.shape[1] as number;
  return concatenate([newest, slice(line, 1, 0, (line.shape[1] as number) - size)], 1);
};

/** @throws OptionError unless delays are whole numbers of at least 1, each given once, and at least one */
export function requireDelays(where: string, delays: readonly number[]): void {
  if (delays.length === 0) throw new OptionError(`${where}: delays is empty; give at least one`);
  for (const delay of delays) requireInteger(where, "each of delays", delay, 1);
  if (new Set(delays).size < delays.length) throw new OptionError(`${where}: delays names one twice, [${delays}]`);
}
