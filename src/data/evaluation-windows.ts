/** A text for evaluation: windows in which every token after the first is a target exactly once. */

import { DataError } from "../core/index.js";
import { requireWindowOptions, type TextStream, type WindowOptions, windowsOf } from "./windows.js";

/**
 * Cuts tokens into `batchSize` streams whose lengths differ by at most one, so that nothing is left out. Read the
 * windows 0 to `windowsPerEpoch`-1, passing the carry on, and average over the mask. Streams may be empty where there
 * are fewer targets than streams.
 * @param tokens the text, [n]
 * @throws DataError if there are fewer than 2 tokens
 * @throws OptionError unless both options are whole numbers of at least 1
 */
export function evaluationWindows(tokens: Int32Array, options: WindowOptions): TextStream {
  requireWindowOptions("evaluationWindows", options);
  if (tokens.length < 2) {
    throw new DataError(
      `the text for evaluation has ${tokens.length === 1 ? "1 token" : "no tokens"}, but at least 2 are needed; ` +
        "use more text",
    );
  }
  const { batchSize, windowLength } = options;
  const targets = tokens.length - 1;
  const starts = Array.from({ length: batchSize + 1 }, (_, row) => Math.floor((row * targets) / batchSize));
  return windowsOf(tokens, starts, windowLength);
}
