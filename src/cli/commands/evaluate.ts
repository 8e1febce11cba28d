/** `through-time evaluate`: how well a run's model predicts a text. */

import { Command } from "@commander-js/extra-typings";
import { bitsPerCharacter, openModel, readPart } from "../../node/index.js";
import { perplexity, textEvaluator } from "../../tasks/index.js";
import { formatCount } from "../format.js";
import { wholeNumber } from "../option-values.js";

const EXAMPLES = `
Examples:
  $ through-time evaluate runs/book chapter.txt
  $ through-time evaluate runs/book library.txt --batch 32
  $ through-time evaluate runs/book chapter.txt --json
`;

/** The command, ready to be added. */
export const evaluateCommand = () =>
  new Command("evaluate")
    .description("measure how well a model predicts a text")
    .argument("<run>", "folder of a run")
    .argument("<file>", "text file")
    .option(
      "--batch <n>",
      "read the text as n streams: faster, but each begins without context",
      wholeNumber("batch", 1),
      1,
    )
    .option("--json", "print one line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path, file, { batch, json }) => {
      const { config, vocabulary, model, params } = await openModel(path);
      const part = await readPart(file, vocabulary);
      const { tokens, characters, unknown } = part;
      const evaluate = textEvaluator(model, tokens, { batchSize: batch, windowLength: config.window });
      const { loss, accuracy, tokens: predicted } = evaluate(params);
      const bits = bitsPerCharacter(loss, part);
      if (json === true) {
        const result = {
          run: path,
          file,
          tokens: predicted,
          characters,
          unknown,
          loss,
          perplexity: perplexity(loss),
          bitsPerCharacter: bits,
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
        `bits per character  ${bits.toFixed(4)}`,
        `accuracy            ${(100 * accuracy).toFixed(2)} %`,
      ];
      process.stdout.write(`${lines.join("\n")}\n`);
    });
