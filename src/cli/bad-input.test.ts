import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, run, type Scratch, scratchFolder } from "../../test/command-line.js";

const SMALL = ["--hidden", "4", "--batch", "2", "--window", "8", "--steps", "4"];
const before = process.cwd();
let scratch: Scratch;

beforeAll(async () => {
  scratch = scratchFolder();
  process.chdir(scratch.path);
  writeFileSync("text.txt", "a line of text, and another line of text.\n".repeat(8));
  writeFileSync("empty.txt", "");
  writeFileSync("short.txt", "short");
  writeFileSync("line.txt", "just one line, which is too short for a window of 64");
  writeFileSync("latin1.txt", Buffer.concat([Buffer.from("caf"), Buffer.of(0xe9), Buffer.from(" au lait".repeat(9))]));
  mkdirSync("folder");
  mkdirSync("notes");
  writeFileSync("notes/todo.txt", "");
  expect((await run("train", "text.txt", ...SMALL, "--out", "done")).code).toBe(0);
});
afterAll(() => {
  process.chdir(before);
  scratch.remove();
});

/** All files below the working folder with their contents. */
const files = (): Map<string, string> =>
  new Map(
    readdirSync(".", { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path, readFileSync(path, "latin1")]),
  );

/** Runs a command that must fail with one sentence and change no file. @returns the sentence */
async function refused(code: 1 | 2, ...args: string[]): Promise<string> {
  const [had, outcome] = [files(), await run(...args)];
  expect(outcome, outcome.stderr).toMatchObject({ code, stdout: "" });
  expect(files()).toEqual(had);
  expect(outcome.stderr).toMatch(/^error: \S.*\n(\(Did you mean .*\?\)\n)?$/);
  return outcome.stderr.slice("error: ".length).trimEnd();
}

describe("train refuses, with one sentence and nothing changed,", () => {
  test.each<[what: string, code: 1 | 2, args: string[], sentence: string]>([
    ["no file", 2, [], "train: name at least one text file, as in: through-time train book.txt"],
    ["a missing file", 1, ["none.txt"], 'there is no file "none.txt"; check the path'],
    ["an empty file", 1, ["text.txt", "empty.txt"], '"empty.txt" is empty; choose a file with text in it'],
    ["a folder as file", 1, ["folder"], '"folder" is a folder, not a file; give the path of a file'],
    ["a file too short to validate", 1, ["short.txt"], "the text has 5 tokens; 0.1 of it is too little for validation"],
    [
      "a file shorter than one window",
      1,
      ["short.txt", "--validation", "0"],
      "the text has 5 tokens, but one window needs 65",
    ],
    ["a file of one line", 1, ["line.txt"], "but one window needs 65; use shorter windows"],
    [
      "fewer tokens than streams",
      1,
      ["text.txt", "--batch", "5000"],
      "5000 parallel streams need 5001; use fewer streams",
    ],
    [
      "text that is no UTF-8",
      1,
      ["latin1.txt"],
      '"latin1.txt" is not valid UTF-8 text; convert it to UTF-8, or use the unit byte',
    ],
    [
      "an unknown cell",
      2,
      ["text.txt", "--cell", "lsmt"],
      "Did you mean lstm? The choices are elman, lstm, gru, gru-reset-before, ",
    ],
    [
      "an unknown unit",
      2,
      ["text.txt", "--unit", "charcter"],
      "Did you mean character? The choices are character, byte, word.",
    ],
    ["an unknown task", 2, ["text.txt", "--task", "langage-model"], "Did you mean language-model?"],
    ["an unknown option", 2, ["text.txt", "--hiden", "8"], "unknown option '--hiden'\n(Did you mean --hidden?)"],
    ["an option without its value", 2, ["text.txt", "--hidden"], "option '--hidden <n>' argument missing"],
    ["hidden 0", 2, ["text.txt", "--hidden", "0"], "hidden must be a whole number of at least 1."],
    ["window 0", 2, ["text.txt", "--window", "0"], "window must be a whole number of at least 1."],
    ["steps 1.5", 2, ["text.txt", "--steps", "1.5"], "steps must be a whole number of at least 1."],
    ["an empty number", 2, ["text.txt", "--hidden", ""], "hidden must be a whole number of at least 1"],
    ["a learning rate of 0", 2, ["text.txt", "--learning-rate", "0"], "learning-rate must be a number greater than 0"],
    ["dropout 1", 2, ["text.txt", "--dropout", "1"], "dropout must be a number at least 0 and less than 1"],
    [
      "validation 0.9",
      2,
      ["text.txt", "--validation", "0.9"],
      "validation must be a number at least 0 and at most 0.5",
    ],
    ["a negative seed", 2, ["text.txt", "--seed", "-1"], "seed must be a whole number of at least 0"],
    [
      "a vocabulary size without words",
      2,
      ["text.txt", "--vocabulary-size", "100"],
      "has no effect unless the unit is word",
    ],
    [
      "patience without validation",
      2,
      ["text.txt", "--patience", "2", "--validation", "0"],
      "patience has no effect without a validation part",
    ],
    [
      "the folder of another run",
      1,
      ["text.txt", "--out", "done"],
      '"done" already holds a run; resume it, or choose another folder',
    ],
    [
      "a folder with other files",
      1,
      ["text.txt", "--out", "notes"],
      '"notes" already holds other files ("todo.txt"); choose a new or empty folder',
    ],
    [
      "a file as folder of the run",
      1,
      ["text.txt", "--out", "text.txt"],
      '"text.txt" could not be written: a file of that name is in the way',
    ],
  ])("%s", async (_, code, args, sentence) => {
    expect(await refused(code, "train", ...args)).toContain(sentence);
  });

  test("a file of one line and a file that is no UTF-8 can be learnt as the sentences advise", async () => {
    expect((await run("train", "line.txt", ...SMALL, "--out", "advice-1")).code).toBe(0);
    expect((await run("train", "latin1.txt", ...SMALL, "--unit", "byte", "--out", "advice-2")).code).toBe(0);
  });
});

describe("train --resume refuses, with one sentence and nothing changed,", () => {
  test.each<[what: string, code: 1 | 2, args: string[], sentence: string]>([
    ["no --out", 2, [], "train: --resume needs --out with the folder of the run"],
    ["a folder that is not there", 1, ["--out", "none"], 'there is no run "none"; check the path, or start a new run'],
    ["a folder without a run", 1, ["--out", "notes"], '"notes" holds no run (there is no config.json in it)'],
    ["a file", 1, ["--out", "text.txt"], '"text.txt" is not the folder of a run; give the folder'],
    [
      "another architecture",
      1,
      ["--out", "done", "--hidden", "8"],
      'the run in "done" has hidden 4, not 8; leave hidden out',
    ],
    ["another text", 1, ["line.txt", "--out", "done"], 'the run in "done" has files text.txt, not line.txt'],
    [
      "fewer steps than made",
      1,
      ["--out", "done", "--steps", "3"],
      'the run in "done" is at step 4 already; ask for more steps',
    ],
  ])("%s", async (_, code, args, sentence) => {
    expect(await refused(code, "train", "--resume", ...args)).toContain(sentence);
  });

  test("a text that has changed", async () => {
    const text = readFileSync("text.txt", "utf8");
    writeFileSync("text.txt", text.toUpperCase());
    expect(await refused(1, "train", "--resume", "--out", "done")).toContain(
      'the text of the run in "done" has changed since it was started; restore text.txt, or start a new run',
    );
    rmSync("text.txt");
    expect(await refused(1, "train", "--resume", "--out", "done")).toContain('there is no file "text.txt"');
    writeFileSync("text.txt", text);
  });
});

describe("a damaged run", () => {
  const damage = (path: string, change: (bytes: Buffer) => Buffer): void =>
    writeFileSync(path, change(readFileSync(path)));
  const flip = (bytes: Buffer): Buffer => {
    bytes[bytes.length - 6]! ^= 8;
    return bytes;
  };
  const copyOfRun = (): void => {
    rmSync("broken", { recursive: true, force: true });
    cpSync("done", "broken", { recursive: true });
  };

  test("a damaged checkpoint is named, together with the one before it, which then works", async () => {
    copyOfRun();
    // Two checkpoints: go on by two steps.
    expect((await run("train", "--resume", "--out", "broken", "--steps", "6")).code).toBe(0);
    const longer = await run("train", "--resume", "--out", "broken", "--json");
    for (const change of [flip, (bytes: Buffer) => bytes.subarray(0, 100), () => Buffer.of()]) {
      damage("broken/checkpoint/state.safetensors", change);
      const sentence = await refused(1, "train", "--resume", "--out", "broken");
      expect(sentence).toContain('"broken/checkpoint/state.safetensors" is damaged');
      expect(sentence).toContain("put broken/checkpoint/previous.safetensors in its place");
    }
    renameSync("broken/checkpoint/previous.safetensors", "broken/checkpoint/state.safetensors");
    const again = await run("train", "--resume", "--out", "broken", "--json");
    expect(numbersOf(again)).toEqual(numbersOf(longer));
  });

  test.each([["generate"], ["evaluate", "text.txt"], ["inspect"], ["diagnose"]])(
    "%s names a damaged model",
    async (command, ...rest) => {
      for (const [change, sentence] of [
        [flip, '"broken/model.safetensors" is damaged'],
        [(bytes: Buffer) => bytes.subarray(0, 40), '"broken/model.safetensors" is damaged'],
      ] as const) {
        copyOfRun();
        damage("broken/model.safetensors", change);
        expect(await refused(1, command!, "broken", ...rest)).toContain(sentence);
      }
      rmSync("broken/model.safetensors");
      expect(await refused(1, command!, "broken", ...rest)).toContain('"broken" holds no model yet');
      expect(await refused(1, command!, "none", ...rest)).toContain('there is no run "none"');
    },
  );

  test("a damaged config.json is named by every command", async () => {
    const commands = [
      ["train", "--resume", "--out", "broken"],
      ["generate", "broken"],
      ["inspect", "broken"],
      ["evaluate", "broken", "text.txt"],
      ["diagnose", "broken"],
    ];
    const config = JSON.parse(readFileSync("done/config.json", "utf8")) as Record<string, unknown>;
    const { files: _, ...noFiles } = config;
    const contents: [text: string, sentence: string][] = [
      ["{ ", '"broken/config.json" is damaged: it is not JSON'],
      ["{}", '"broken" is no language model run of this version'],
      [JSON.stringify(noFiles), 'the config.json of "broken" is damaged: files must be a list of paths'],
      [JSON.stringify({ ...config, hidden: "4" }), 'the config.json of "broken" is damaged: train: hidden must be'],
      [JSON.stringify({ ...config, vocabulary: 3 }), 'the config.json of "broken" is damaged: vocabulary: it is not'],
      [
        JSON.stringify({ ...config, unigramEntropy: null }),
        'the config.json of "broken" is damaged: train: unigramEntropy',
      ],
    ];
    for (const [text, sentence] of contents) {
      copyOfRun();
      writeFileSync("broken/config.json", text);
      for (const args of commands) expect(await refused(1, ...args)).toContain(sentence);
    }
  });

  test("damaged metrics are named when the run is resumed", async () => {
    copyOfRun();
    damage("broken/metrics.jsonl", (bytes) => Buffer.concat([Buffer.from("?\n"), bytes]));
    expect(await refused(1, "train", "--resume", "--out", "broken")).toContain("line 1 is not a record with a step");
  });
});

/** The result of --json without what depends on time. */
function numbersOf({ stdout }: Outcome): Record<string, unknown> {
  const { seconds: _, tokensPerSecond: __, ...numbers } = JSON.parse(stdout) as Record<string, unknown>;
  return numbers;
}

describe("other commands refuse, with one sentence,", () => {
  test.each<[what: string, code: 1 | 2, args: string[], sentence: string]>([
    ["an unknown command", 2, ["trian"], "unknown command 'trian'\n(Did you mean train?)"],
    [
      "an unseen character in the prompt",
      1,
      ["generate", "done", "--prompt", "a line 潮"],
      'the model has never seen "潮" of the prompt',
    ],
    [
      "a negative temperature",
      2,
      ["generate", "done", "--temperature", "-1"],
      "temperature must be a number at least 0",
    ],
    ["top-p 2", 2, ["generate", "done", "--top-p", "2"], "top-p must be a number greater than 0 and at most 1"],
    ["length 0", 2, ["generate", "done", "--length", "0"], "length must be a whole number of at least 1"],
    ["beam 0", 2, ["generate", "done", "--beam", "0"], "beam must be a whole number of at least 1"],
    ...["--temperature", "--top-k", "--top-p", "--seed"].map((option): [string, 2, string[], string] => [
      `beam with ${option}`,
      2,
      ["generate", "done", "--beam", "2", option, "1"],
      "option '--beam <n>' cannot be used with option",
    ]),
    ["no run", 2, ["generate"], "missing required argument 'run'"],
    ["too many arguments", 2, ["inspect", "done", "more"], "too many arguments for 'inspect'"],
    ["evaluating a missing file", 1, ["evaluate", "done", "none.txt"], 'there is no file "none.txt"'],
    ["evaluating an empty file", 1, ["evaluate", "done", "empty.txt"], '"empty.txt" is empty'],
    ["evaluating a file that is no UTF-8", 1, ["evaluate", "done", "latin1.txt"], "is not valid UTF-8 text"],
    [
      "diagnosing with a window of 1",
      2,
      ["diagnose", "done", "--window", "1"],
      "window must be a whole number of at least 2",
    ],
    ["diagnosing one step", 2, ["diagnose", "done", "--steps", "1"], "steps must be a whole number of at least 2"],
    ["diagnosing with a missing file", 1, ["diagnose", "done", "none.txt"], 'there is no file "none.txt"'],
    ["diagnosing with an empty file", 1, ["diagnose", "done", "empty.txt"], '"empty.txt" is empty'],
    [
      "diagnosing a window longer than the text",
      1,
      ["diagnose", "done", "short.txt", "--window", "5"],
      "the text has 5 characters, but a window of 5 needs 6; use a shorter window, or more text",
    ],
    [
      "diagnosing more steps than there are",
      1,
      ["diagnose", "done", "short.txt", "--steps", "5"],
      "the text has 4 tokens to read, fewer than 5 steps; use more text, or fewer steps",
    ],
    [
      "diagnosing more steps than fit into memory",
      2,
      ["diagnose", "done", "--steps", "100000000"],
      "diagnose: Jacobians of 100000000 steps of a carry of 8 numbers do not fit into 2 GiB; ask for at most 1398101 steps",
    ],
    ["diagnosing into a file", 1, ["diagnose", "done", "--out", "text.txt"], '"text.txt" could not be written'],
    ["inspecting a folder without a run", 1, ["inspect", "notes"], '"notes" holds no run'],
  ])("%s", async (_, code, args, sentence) => {
    expect(await refused(code, ...args)).toContain(sentence);
  });

  test("evaluating one character, which leaves nothing to predict", async () => {
    writeFileSync("one.txt", "a");
    expect(await refused(1, "evaluate", "done", "one.txt")).toContain("has nothing to predict; at least 2 are needed");
  });

  test("a learning rate that ruins the model: no update is made, and no model or checkpoint is left", async () => {
    const { code, stdout, stderr } = await run(
      "train",
      "text.txt",
      ...SMALL,
      "--learning-rate",
      "1e39",
      "--out",
      "ruined",
      "--json",
    );
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /error: the loss is [\d.]+ at update 1; the first tensor that is not finite is the new value of parameter \S+\. The update was not made\./,
    );
    expect(readdirSync("ruined")).toEqual(["config.json"]);
    expect(existsSync("ruined/model.safetensors")).toBe(false);
  });
});
