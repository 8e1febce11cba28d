/** The text of a language model run: files as tokens, divided for training and validation. */

import { createHash } from "node:crypto";
import { DataError } from "../../core/index.js";
import {
  buildVocabulary,
  countUnknown,
  splitText,
  type Unit,
  unigramEntropy,
  type Vocabulary,
} from "../../data/index.js";
import { bitsPerToken } from "../../tasks/index.js";
import { readBytes, readText } from "../files.js";

/** Part of a text. */
export interface CorpusPart {
  readonly tokens: Int32Array;
  /** Unicode characters. */
  readonly characters: number;
}

/** A text, ready to be learnt. */
export interface Corpus {
  readonly vocabulary: Vocabulary;
  readonly training: CorpusPart;
  /** Undefined if nothing was kept for validation. */
  readonly validation: CorpusPart | undefined;
  /** SHA-256 of all files, one after the other. */
  readonly checksum: string;
  /** Nats per token, on the validation part if there is one, when each token is guessed by how often it occurs in that part. */
  readonly unigramEntropy: number;
}

/** What is read of the files. */
export interface CorpusSettings {
  readonly files: readonly string[];
  readonly unit: Unit;
  /** Part at the end that is kept for validation, in [0, 0.5]. */
  readonly validation: number;
  /** Most words of a vocabulary of words. */
  readonly vocabularySize?: number;
}

/** Reads files, in order, as one text. @throws FileError or DataError naming the file that cannot be used */
export async function readCorpus(settings: CorpusSettings): Promise<Corpus> {
  const { files, unit, validation, vocabularySize } = settings;
  const hash = createHash("sha256");
  let text = "";
  for (const file of files) {
    const content = await readContent(file, unit);
    hash.update(content);
    text += content;
  }
  const vocabulary = buildVocabulary(text, unit, vocabularySize === undefined ? {} : { size: vocabularySize });
  const [training, held] = splitText(text, validation).map((part) => encodePart(vocabulary, part)) as [
    CorpusPart,
    CorpusPart,
  ];
  if (validation > 0 && held.tokens.length < 2) {
    throw new DataError(
      `the text has ${training.tokens.length + held.tokens.length} tokens; ${validation} of it is too little for validation; ` +
        "use more text, a larger part, or 0 to do without",
    );
  }
  const measured = validation > 0 ? held : training;
  return {
    vocabulary,
    training,
    validation: validation > 0 ? held : undefined,
    checksum: hash.digest("hex"),
    unigramEntropy: unigramEntropy(measured.tokens),
  };
}

/** Any text as tokens of a model. */
export async function readPart(
  file: string,
  vocabulary: Vocabulary,
): Promise<CorpusPart & { readonly unknown: number }> {
  const part = encodePart(vocabulary, await readContent(file, vocabulary.unit));
  return { ...part, unknown: countUnknown(vocabulary, part.tokens) };
}

/** Bits for each Unicode character, from nats for each token, on a text like this part. */
export const bitsPerCharacter = (loss: number, { tokens, characters }: CorpusPart): number =>
  bitsPerToken(loss) * (tokens.length / characters);

/** A file as a text. Bytes travel as characters 0 to 255, so that cutting and joining are the same for all units. */
async function readContent(file: string, unit: Unit): Promise<string> {
  if (unit !== "byte") return readText(file);
  const bytes = await readBytes(file);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function encodePart(vocabulary: Vocabulary, text: string): CorpusPart {
  if (vocabulary.unit !== "byte") {
    let characters = 0;
    for (const _ of text) characters++;
    return { tokens: vocabulary.encode(text), characters };
  }
  const bytes = Buffer.from(text, "latin1");
  // Bytes 10xxxxxx continue a character; all others begin one.
  const characters = bytes.reduce((count, byte) => count + ((byte & 0xc0) === 0x80 ? 0 : 1), 0);
  return { tokens: Int32Array.from(bytes), characters: Math.max(characters, 1) };
}
