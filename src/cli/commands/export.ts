/** `through-time export`: a run's model as a file for other programs. */

import { extname } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { OptionError } from "../../core/index.js";
import {
  EXPORT_FORMATS,
  type ExportFormat,
  encodeRun,
  openModel,
  requireNoFile,
  writeFileAtomically,
} from "../../node/index.js";
import { formatCount } from "../format.js";
import { oneOf } from "../option-values.js";

const EXAMPLES = `
Examples:
  $ through-time export runs/book --out book.onnx
  $ through-time export runs/book --format pytorch --out book.pt
  $ through-time export runs/book --out book.safetensors

"through-time import" makes a run of any of these files again.
`;

const FORMAT_OF_ENDING: Readonly<Record<string, ExportFormat>> = {
  ".onnx": "onnx",
  ".safetensors": "safetensors",
  ".pt": "pytorch",
  ".pth": "pytorch",
};

/** The command, ready to be added. */
export const exportCommand = () =>
  new Command("export")
    .description("write a run's model as one file: an ONNX model, safetensors, or a PyTorch state dictionary")
    .argument("<run>", "folder of a run")
    .requiredOption("--out <file>", "the file to write; it must not exist")
    .option(
      "--format <name>",
      "onnx, safetensors or pytorch (default: by the ending of the file)",
      oneOf(EXPORT_FORMATS),
    )
    .option("--json", "print one line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path, { out, format = FORMAT_OF_ENDING[extname(out)], json }) => {
      if (format === undefined) {
        throw new OptionError(
          `export: the ending of "${out}" tells no format; add --format with one of ${EXPORT_FORMATS.join(", ")}`,
        );
      }
      const model = await openModel(path);
      await requireNoFile(out);
      const bytes = encodeRun(model, format);
      await writeFileAtomically(out, bytes);
      process.stdout.write(
        json === true
          ? `${JSON.stringify({ run: path, file: out, format, bytes: bytes.length })}\n`
          : `wrote ${out}: ${format}, ${formatCount(bytes.length)} bytes\n`,
      );
    });
