/** `through-time import`: a run from an exported file. */

import { Command } from "@commander-js/extra-typings";
import { importRun, parameterCount, readBinary } from "../../node/index.js";
import { formatCount } from "../format.js";

const EXAMPLES = `
Examples:
  $ through-time import book.onnx --out runs/book-again
  $ through-time generate runs/book-again
`;

/** The command, ready to be added. */
export const importCommand = () =>
  new Command("import")
    .description("make a run of a file that export wrote, in any of its formats")
    .argument("<file>", "file written by export")
    .requiredOption("--out <folder>", "folder of the new run")
    .option("--json", "print one line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (file, { out, json }) => {
      const parameters = parameterCount(await importRun(await readBinary(file), file, out));
      process.stdout.write(
        json === true
          ? `${JSON.stringify({ file, run: out, parameters })}\n`
          : `${out} is a run with ${formatCount(parameters)} parameters\n`,
      );
    });
