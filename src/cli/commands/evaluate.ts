/** `through-time evaluate`: how well a run's model predicts a text. */

import { Command } from "@commander-js/extra-typings";
import { openModel, readPart } from "../../node/index.js";
import { perplexity, textEvaluator } from "../../tasks/index.js";
import { formatCount } from "../format.js";

const EXAMPLES = `
Examples:
  $ through-time evaluate runs/book chapter.txt
  $ through-time evaluate runs/book chapter.txt --json
`;

/** The command, ready to be added. */
export const evaluateCommand = () =>
  new Command("evaluate")
    .description("measure how well a model predicts a text")
    .argument("<run>", "folder of a run")
    .argument("<file>", "text file")
    .option("--json", "print one line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path, file, { json }) => {
      const { config, vocabulary, model, params } = await openModel(path);
      const { tokens, characters, unknown } = await readPart(file, vocabulary);
      // One stream: every token is predicted from all those before it.
      const {
        loss,
        accuracy,
        tokens: predicted,
      } = textEvaluator(model, tokens, { batchSize: 1, windowLength: config.window })(params);
      const bitsPerCharacter = (loss / Math.LN2) * (tokens.length / characters);
      if (json === true) {
        const result = {
          run: path,
          file,
          tokens: predicted,
          characters,
          unknown,
          loss,
          perplexity: perplexity(loss),
          bitsPerCharacter,
          accuracy,
        };
        process.stdout.write(`${JSON.stringify(result)}\n`);
        return;
      }
      if (unknown > 0) {
        process.stderr.write(
          `note: ${formatCount(unknown)} of ${formatCount(tokens.length)} ${config.unit}s are unknown to the model\n`,
        );
      }
      const lines = [
        `${formatCount(predicted)} ${config.unit}s predicted`,
        `loss                ${loss.toFixed(4)} nats per ${config.unit}`,
        `perplexity          ${perplexity(loss).toFixed(3)}`,
        `bits per character  ${bitsPerCharacter.toFixed(4)}`,
        `accuracy            ${(100 * accuracy).toFixed(2)} %`,
      ];
      process.stdout.write(`${lines.join("\n")}\n`);
    });
