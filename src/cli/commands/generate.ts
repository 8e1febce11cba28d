/** `through-time generate`: let a run's model write. */

import { Command, Option } from "@commander-js/extra-typings";
import { DataError } from "../../core/index.js";
import type { Vocabulary } from "../../data/index.js";
import { openModel } from "../../node/index.js";
import { randomKey } from "../../ops/index.js";
import { generateTokens, type Hypothesis, likeliestTexts, tokenReader } from "../../tasks/index.js";
import { printableText } from "../format.js";
import { numberIn, wholeNumber } from "../option-values.js";

const EXAMPLES = `
Examples:
  $ through-time generate runs/book
  $ through-time generate runs/book --prompt "Once upon" --length 500 --temperature 0.7
  $ through-time generate runs/book --top-k 5 --seed 7
  $ through-time generate runs/book --prompt "Once upon" --length 40 --beam 8
`;

/** The command, ready to be added. */
export const generateCommand = () =>
  new Command("generate")
    .description("let a model write")
    .argument("<run>", "folder of a run")
    .option("--prompt <text>", "text to go on from", "")
    .option("--length <n>", "tokens to write", wholeNumber("length", 1), 400)
    .option(
      "--temperature <x>",
      "below 1 safer, above 1 wilder, 0 always the likeliest",
      numberIn("temperature", { from: 0 }),
      0.8,
    )
    .option("--top-k <n>", "choose among the n likeliest tokens only", wholeNumber("top-k", 1))
    .option(
      "--top-p <x>",
      "choose among the likeliest tokens that make up this probability",
      numberIn("top-p", { above: 0, to: 1 }),
    )
    .option("--seed <n>", "seed of the choices", wholeNumber("seed", 0), 1)
    .addOption(
      new Option("--beam <n>", "search the likeliest text with a beam of n, instead of choosing token by token")
        .argParser(wholeNumber("beam", 1))
        .conflicts(["temperature", "topK", "topP", "seed"]),
    )
    .addHelpText("after", EXAMPLES)
    .action(async (path, { prompt, length, temperature, topK, topP, seed, beam }) => {
      const { vocabulary, model, params } = await openModel(path);
      const before = promptTokens(vocabulary, prompt);
      const exclude = vocabulary.unknown === undefined ? [] : [vocabulary.unknown];
      const tokens =
        beam === undefined
          ? generateTokens(tokenReader(model)(params), before, randomKey(seed), {
              temperature,
              ...(topK !== undefined && { topK }),
              ...(topP !== undefined && { topP }),
              exclude,
            })
          : (likeliestTexts(model, params, before, { width: beam, length, exclude })[0] as Hypothesis).tokens.values();
      const decoder = vocabulary.decoder();
      const show = (text: string) => process.stdout.write(process.stdout.isTTY === true ? printableText(text) : text);
      show(vocabulary.unit === "word" ? decoder.push(vocabulary.encode(prompt)) : prompt);
      for (let written = 0; written < length; written++) {
        show(decoder.push([tokens.next().value as number]));
        // Gives a closed pipe or Ctrl-C its turn.
        if (written % 64 === 63) await new Promise((resolve) => setImmediate(resolve));
      }
      show(`${decoder.end()}\n`);
    });

/** Tokens of the prompt; without one, a line break, as if a new line had just begun. */
function promptTokens(vocabulary: Vocabulary, prompt: string): Int32Array {
  const tokens = vocabulary.encode(prompt);
  const unknown = vocabulary.unknown === undefined ? -1 : tokens.indexOf(vocabulary.unknown);
  if (unknown >= 0) {
    const culprit = vocabulary.unit === "character" ? `"${[...prompt][unknown]}"` : `word ${unknown + 1}`;
    throw new DataError(
      `the model has never seen ${culprit} of the prompt; use ${vocabulary.unit}s of its training text`,
    );
  }
  if (tokens.length > 0) return tokens;
  const lineBreak = vocabulary.encode("\n");
  return lineBreak[0] === vocabulary.unknown ? Int32Array.of(vocabulary.size - 1) : lineBreak;
}
