/** The command line: all commands, and what they have in common. */

import { Command, CommanderError } from "@commander-js/extra-typings";
import { doctorCommand } from "./commands/doctor.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { generateCommand } from "./commands/generate.js";
import { inspectCommand } from "./commands/inspect.js";
import { trainCommand } from "./commands/train.js";
import { EXIT, reportError } from "./errors.js";
import { packageVersion } from "./version.js";

const EXAMPLES = `
Examples:
  $ through-time train book.txt --out runs/book
  $ through-time generate runs/book --prompt "Once upon"
  $ through-time help train
`;

/** Runs the command line and returns the exit code. @param args without the names of node and the script */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = new Command("through-time")
    .description("recurrent neural networks: train them, measure them, let them write")
    .version(packageVersion())
    .addHelpText("after", EXAMPLES);
  for (const make of [trainCommand, evaluateCommand, generateCommand, inspectCommand, doctorCommand]) {
    program.addCommand(make() as Command);
  }
  for (const command of [program, ...program.commands])
    command.exitOverride().showHelpAfterError(false).showSuggestionAfterError(true);
  try {
    await program.parseAsync(args as string[], { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : 0;
  } catch (error) {
    // Help and version end with 0; the message of a usage error is already printed.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    return reportError(error);
  }
}
