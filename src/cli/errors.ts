/** What people see when something goes wrong: one sentence, and an exit code. */

import { ToolkitError } from "../core/index.js";

/** 1: something is wrong with the files, the data or the run. 2: the command was used wrongly. 130: Ctrl-C. */
export const EXIT = { failure: 1, usage: 2, interrupted: 130 } as const;

/** Options of the library that have another name on the command line. */
const FLAGS: ReadonlyMap<string, string> = new Map([
  ["windowLength", "--window"],
  ["batchSize", "--batch"],
  ["learningRate", "--learning-rate"],
  ["vocabularySize", "--vocabulary-size"],
]);

const inCommandLineWords = (message: string): string =>
  message.replace(/\b[a-z]+[A-Z]\w*\b/g, (name) => FLAGS.get(name) ?? name);

/** Prints an error as one line on standard error and returns the exit code. Errors that are bugs keep their stack. */
export function reportError(error: unknown): number {
  if (error instanceof ToolkitError) {
    process.stderr.write(`error: ${inCommandLineWords(error.message)}\n`);
    return error.code === "option" ? EXIT.usage : EXIT.failure;
  }
  process.stderr.write(
    `unexpected error, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT.failure;
}
