import { describe, expect, test } from "vitest";
import { FileError, OptionError } from "../../core/index.js";
import { buildVocabulary } from "../../data/index.js";
import {
  type Corpus,
  completeSettings,
  configOf,
  DEFAULT_SETTINGS,
  type LanguageModelSettings,
  parseConfig,
  resumedConfig,
} from "./index.js";

const corpus = (): Corpus => ({
  vocabulary: buildVocabulary("abc", "character"),
  training: { tokens: Int32Array.of(1, 2), characters: 2 },
  validation: undefined,
  checksum: "0f",
  unigramEntropy: 0.5,
});
const config = (given: Partial<LanguageModelSettings> = {}) =>
  configOf(completeSettings({ files: ["a.txt"], hidden: 8, ...given }), corpus());

/** The message of the error that something throws. */
function refusal(make: () => unknown, kind: typeof OptionError | typeof FileError): string {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(kind);
    return (error as Error).message;
  }
  return expect.unreachable("it should have failed");
}

describe("completeSettings", () => {
  test("fills in the documented defaults; the embedding follows the hidden size, the shards the batch", () => {
    expect(completeSettings({})).toEqual({ ...DEFAULT_SETTINGS, files: [], embedding: 64, shards: 2 });
    const shards = [1, 16, 31, 32, 33, 48, 64, 128, 512].map((batch) => completeSettings({ batch }).shards);
    expect(shards).toEqual([1, 1, 1, 2, 1, 2, 4, 8, 8]);
    expect(() => completeSettings({ batch: 10, shards: 3 })).toThrow(
      new OptionError("a batch of 10 cannot be cut into 3 equal shards; choose a batch that is a multiple of shards"),
    );
    expect(completeSettings({ hidden: 10 }).embedding).toBe(10);
    expect(completeSettings({ hidden: 10, embedding: 20 }).embedding).toBe(20);
  });

  test("refuses what is out of range, by name", () => {
    const wrong: [object, string][] = [
      [{ hidden: 0 }, "train: hidden must be a whole number of at least 1, but is 0"],
      [{ layers: 1.5 }, "train: layers must be"],
      [{ embedding: -1 }, "train: embedding must be"],
      [{ steps: 0 }, "train: steps must be"],
      [{ batch: 0 }, "train: batch must be"],
      [{ window: Number.NaN }, "train: window must be"],
      [{ learningRate: 0 }, "train: learningRate must be a number greater than 0"],
      [{ clip: 0 }, "train: clip must be"],
      [{ dropout: 1 }, "train: dropout must be a number at least 0 and less than 1"],
      [{ validation: 0.6 }, "train: validation must be a number at least 0 and at most 0.5"],
      [{ seed: -1 }, "train: seed must be"],
      [{ cell: "gruu" }, 'there is no cell "gruu"; did you mean gru?'],
      [{ unit: "wrod" }, 'there is no unit "wrod"; did you mean word? The units are character, byte, word'],
      [{ vocabularySize: 9 }, "vocabularySize has no effect unless the unit is word"],
      [{ patience: 0 }, "train: patience must be"],
      [{ patience: 1, validation: 0 }, "patience has no effect without a validation part; set validation above 0"],
    ];
    for (const [given, sentence] of wrong)
      expect(refusal(() => completeSettings(given), OptionError)).toContain(sentence);
    expect(completeSettings({ unit: "word", vocabularySize: 9 }).vocabularySize).toBe(9);
  });
});

describe("parseConfig", () => {
  test("takes what configOf wrote, through JSON", () => {
    expect(parseConfig(JSON.parse(JSON.stringify(config())), "run")).toEqual(config());
  });

  test("refuses other files of JSON", () => {
    for (const value of [null, 3, [], {}, { ...config(), task: "tagger" }, { ...config(), format: 2 }]) {
      expect(refusal(() => parseConfig(value, "runs/x"), FileError)).toBe(
        '"runs/x" is no language model run of this version (task language-model, format 1)',
      );
    }
  });

  test("says what is missing or damaged, whichever entry that is, and puts no default in its place", () => {
    for (const name of Object.keys(config()).filter((key) => key !== "task" && key !== "format")) {
      const { [name as "files"]: _, ...rest } = config();
      expect(refusal(() => parseConfig(rest, "runs/x"), FileError)).toMatch(
        /^the config\.json of "runs\/x" is damaged: \S/,
      );
      for (const value of [null, -1, {}, [1], "?"]) {
        const names: Record<string, unknown> = { files: "?", checksum: "?" };
        if (names[name] === value && name !== "files") continue;
        expect(
          refusal(() => parseConfig({ ...config(), [name]: value }, "runs/x"), FileError),
          name,
        ).toContain("is damaged");
      }
    }
  });
});

describe("resumedConfig", () => {
  test("takes more steps and another patience, and leaves all else as it was", () => {
    expect(resumedConfig(config(), { steps: 5000, patience: 2 }, "run")).toEqual({
      ...config(),
      steps: 5000,
      patience: 2,
    });
    expect(resumedConfig(config(), {}, "run")).toEqual(config());
    expect(resumedConfig(config(), { hidden: 8, files: ["a.txt"] }, "run")).toEqual(config());
  });

  test("names the first setting that differs, with both values", () => {
    expect(refusal(() => resumedConfig(config(), { hidden: 16 }, "runs/x"), FileError)).toBe(
      'the run in "runs/x" has hidden 8, not 16; leave hidden out to resume it, or start a new run in another folder',
    );
    expect(refusal(() => resumedConfig(config(), { files: ["b.txt"] }, "runs/x"), FileError)).toContain(
      "has files a.txt",
    );
    expect(refusal(() => resumedConfig(config(), { seed: 2 }, "runs/x"), FileError)).toContain("has seed 1, not 2");
  });
});
