/** The command line: all commands, and what they have in common. */

import { Command, CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { diagnoseCommand } from "./commands/diagnose.js";
import { doctorCommand } from "./commands/doctor.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { experimentCommand } from "./commands/experiment.js";
import { exportCommand } from "./commands/export.js";
import { generateCommand } from "./commands/generate.js";
import { importCommand } from "./commands/import.js";
import { inspectCommand } from "./commands/inspect.js";
import { runCommand } from "./commands/run.js";
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
  for (const make of [
    trainCommand,
    evaluateCommand,
    generateCommand,
    inspectCommand,
    diagnoseCommand,
    exportCommand,
    importCommand,
    runCommand,
    experimentCommand,
    doctorCommand,
  ]) {
    program.addCommand(make() as Command);
  }
  prepare(program);
  try {
    await program.parseAsync(args as string[], { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : 0;
  } catch (error) {
    // Help and version end with 0; the message of a usage error is already printed.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    return reportError(error);
  }
}

/** A command and those in it: errors are thrown, with a suggestion and without the help. */
function prepare(command: CommandUnknownOpts): void {
  command.exitOverride().showHelpAfterError(false).showSuggestionAfterError(true);
  command.commands.forEach(prepare);
}
