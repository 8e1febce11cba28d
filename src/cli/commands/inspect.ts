/** `through-time inspect`: what a run holds. */

import { Command } from "@commander-js/extra-typings";
import { globalNorm } from "../../learn/index.js";
import { openModel, parameterCount } from "../../node/index.js";
import { tensorsByPath, toNumber } from "../../tensor/index.js";
import { formatCount } from "../format.js";

const EXAMPLES = `
Examples:
  $ through-time inspect runs/book
  $ through-time inspect runs/book --json
`;

/** The command, ready to be added. */
export const inspectCommand = () =>
  new Command("inspect")
    .description("show the settings and the parameters of a run")
    .argument("<run>", "folder of a run")
    .option("--json", "print one line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path, { json }) => {
      const { config, vocabulary, params } = await openModel(path);
      const { vocabulary: _, ...settings } = config;
      const tensors = tensorsByPath(params).map(([name, tensor]) => ({
        name,
        dtype: tensor.dtype,
        shape: tensor.shape,
        norm: toNumber(globalNorm([tensor])),
      }));
      const parameters = parameterCount(params);
      if (json === true) {
        process.stdout.write(
          `${JSON.stringify({ run: path, settings, vocabularySize: vocabulary.size, parameters, tensors })}\n`,
        );
        return;
      }
      const width = Math.max(...tensors.map(({ name }) => name.length));
      const lines = [
        ...Object.entries(settings).map(
          ([name, value]) => `${name.padEnd(16)}${Array.isArray(value) ? value.join(", ") : value}`,
        ),
        `${"tokens".padEnd(16)}${formatCount(vocabulary.size)} different ${config.unit}s`,
        "",
        `${"parameter".padEnd(width)}  ${"shape".padEnd(14)}norm`,
        ...tensors.map(
          ({ name, shape, norm }) =>
            `${name.padEnd(width)}  ${`[${shape.join(", ")}]`.padEnd(14)}${norm.toPrecision(5)}`,
        ),
        `${formatCount(parameters)} parameters in all`,
      ];
      process.stdout.write(`${lines.join("\n")}\n`);
    });
