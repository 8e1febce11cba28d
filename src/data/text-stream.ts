/** A text for truncated backpropagation through time: parallel streams of equal length, read window by window. */

import { DataError } from "../core/index.js";
import { requireWindowOptions, type TextStream, type WindowOptions, windowsOf } from "./windows.js";

/**
 * Cuts tokens into `batchSize` streams of floor((n-1) / batchSize) inputs each, one after the other, and reads them side
 * by side; the carry passes from window to window. The few tokens that do not divide are left out at the end. The last
 * window of an epoch may be partial: padded and masked.
 * @param tokens the text, [n]
 * @throws DataError if there are fewer than `windowLength` + 1 tokens, or fewer than `batchSize` + 1
 * @throws OptionError unless both options are whole numbers of at least 1
 * @example textStream(vocabulary.encode(text), { batchSize: 32, windowLength: 64 }).window(0)
 */
export function textStream(tokens: Int32Array, options: WindowOptions): TextStream {
  requireWindowOptions("textStream", options);
  const { batchSize, windowLength } = options;
  if (tokens.length < windowLength + 1) {
    throw new DataError(
      `the text has ${count(tokens.length)}, but one window needs ${windowLength + 1}; ` +
        "use shorter windows (windowLength) or more text",
    );
  }
  if (tokens.length < batchSize + 1) {
    throw new DataError(
      `the text has ${count(tokens.length)}, but ${batchSize} parallel streams need ${batchSize + 1}; ` +
        "use fewer streams (batchSize) or more text",
    );
  }
  const streamLength = Math.floor((tokens.length - 1) / batchSize);
  const starts = Array.from({ length: batchSize + 1 }, (_, row) => row * streamLength);
  return windowsOf(tokens, starts, windowLength);
}

const count = (tokens: number): string => (tokens === 1 ? "1 token" : `${tokens} tokens`);
