import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, run, type Scratch, scratchFolder } from "../../test/command-line.js";
import { decodeSafetensors } from "../io/index.js";
import { startNodeThread } from "../node/threads.js";
import { type Kernels, preferKernels, provideThreads, selectKernels, wasmKernels } from "../runtime/index.js";

const SMALL = ["--hidden", "6", "--batch", "2", "--window", "8"];
const before = process.cwd();
let scratch: Scratch;
let first: Outcome;

beforeAll(async () => {
  scratch = scratchFolder();
  process.chdir(scratch.path);
  writeFileSync("text.txt", "a line of text, and another line of text.\n".repeat(10));
  first = await run(
    "train",
    "text.txt",
    ...SMALL,
    "--steps",
    "30",
    "--learning-rate",
    "0.02",
    "--out",
    "run",
    "--json",
  );
});
afterAll(() => {
  process.chdir(before);
  scratch.remove();
});

type Result = Record<string, unknown> & { readonly trainLoss: number; readonly validationLoss: number };

/** The one line of JSON that a command printed. */
function json({ code, stdout, stderr }: Outcome): Result {
  expect(code, stderr).toBe(0);
  expect(stdout.split("\n")).toEqual([expect.stringMatching(/^\{.*\}$/), ""]);
  return JSON.parse(stdout);
}

/** What does not depend on time or place. */
const numbers = ({ seconds: _, tokensPerSecond: __, run: ___, ...rest }: Result) => rest;

const NUMBER = expect.any(Number);
/** What doctor says of WebAssembly. */
const WASM = {
  instructionSet: expect.stringMatching(/^(simd128|relaxed-simd)$/),
  unsupported: expect.any(Array),
  peakGflops: NUMBER,
};

test("train --verbose says what an update computes, and the memory that it takes", async () => {
  const { stderr } = await run(
    "train",
    "text.txt",
    "--steps",
    "1",
    "--hidden",
    "4",
    "--layers",
    "2",
    "--out",
    "verbose",
    "--verbose",
  );
  expect(stderr).toMatch(
    /^an update: \d+ instructions, 8 loops over time in 2 shards, [\d,]+ KiB of memory; compiled in \d+ ms\n/,
  );
});

describe("where no threads can be started", () => {
  const wasm = wasmKernels() as { kernels: Kernels };
  const chosen = selectKernels();
  beforeAll(() => {
    preferKernels(() => wasm.kernels);
    provideThreads(() => {
      throw new Error("not here");
    });
  });
  afterAll(() => {
    preferKernels(() => chosen);
    provideThreads(startNodeThread);
  });

  test("train --verbose says that shards run one after the other, if there could be several", async () => {
    const train = (name: string, ...options: string[]) =>
      run("train", "text.txt", ...SMALL, "--steps", "1", "--out", name, "--verbose", ...options);
    const line = "shards run one after the other: not here\n";
    const shards = ["--shards", "2", "--threads", "2"];
    expect((await train("threadless", ...shards)).stderr).toContain(line);
    expect((await train("one-thread", ...shards, "--threads", "1")).stderr).not.toContain(line);
    expect((await train("one-shard", "--threads", "2")).stderr).not.toContain(line);
  });

  test("doctor says so", async () => {
    expect((await run("doctor")).stdout).toMatch(/^wasm .*; shards run one after the other: not here$/m);
    expect(json(await run("doctor", "--json")).wasm).toEqual({ ...WASM, noThreads: "not here" });
  });
});

describe("train --json", () => {
  test("ends with exactly one line with exactly these keys, finite numbers and a loss that fell", () => {
    const result = json(first);
    expect(Object.keys(result)).toEqual([
      "run",
      "steps",
      "parameters",
      "trainLoss",
      "validationLoss",
      "bitsPerCharacter",
      "tokensPerSecond",
      "seconds",
      "kernels",
    ]);
    expect(result).toMatchObject({ run: "run", steps: 30, kernels: selectKernels().name });
    for (const [name, value] of Object.entries(result)) {
      if (name !== "run" && name !== "kernels") expect(value as number, name).toBeGreaterThan(0);
    }
    const records = readFileSync("run/metrics.jsonl", "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.length).toBe(30);
    expect(result.trainLoss).toBe(records.at(-1).averageLoss);
    expect(records.at(-1).loss).toBeLessThan(0.8 * records[0].loss);
    expect(result.validationLoss).toBeLessThan(records[0].loss);
    expect(result.bitsPerCharacter).toBeCloseTo(result.validationLoss / Math.LN2, 12);
    const { tensors } = decodeSafetensors(readFileSync("run/model.safetensors"), "model");
    expect(result.parameters).toBe([...tensors.values()].reduce((sum, { data }) => sum + data.length, 0));
  });

  test("shows progress, samples and what to do next on standard error, without escape codes", () => {
    expect(first.stderr).not.toContain("\u001b");
    expect(first.stderr).toMatch(/^378 characters to learn, 42 to validate; 16 different characters\n/);
    expect(first.stderr).toContain("lstm, 1 layer of 6 units: ");
    expect(first.stderr).toMatch(/guessing by frequency alone costs \d\.\d{3} nats per character/);
    expect(first.stderr).toMatch(/step 3: validation loss \d\.\d{3}, \d\.\d{3} bits\/char, best so far/);
    expect(first.stderr).toContain("finished step 30 after 0:0");
    expect(first.stderr).toMatch(/saved in run; next:\n {2}npx through-time generate run\n$/);
  });

  test("gives the same numbers when it is run again", async () => {
    const again = await run(
      "train",
      "text.txt",
      ...SMALL,
      "--steps",
      "30",
      "--learning-rate",
      "0.02",
      "--out",
      "again",
      "--json",
    );
    expect(numbers(json(again))).toEqual(numbers(json(first)));
    expect(readFileSync("again/model.safetensors").equals(readFileSync("run/model.safetensors"))).toBe(true);
  });

  test("of a complete run prints the same result again when it is resumed, and changes nothing", async () => {
    const [model, metrics] = [readFileSync("run/model.safetensors"), readFileSync("run/metrics.jsonl")];
    const again = await run("train", "--resume", "--out", "run", "--json");
    expect(numbers(json(again))).toEqual(numbers(json(first)));
    expect(again.stderr).toContain("resuming after step 30");
    expect(readFileSync("run/model.safetensors").equals(model)).toBe(true);
    expect(readFileSync("run/metrics.jsonl").equals(metrics)).toBe(true);
  });

  test("resumed with more steps goes on as the longer run: the same parameters, optimizer and average loss", async () => {
    const common = ["text.txt", ...SMALL, "--dropout", "0.3"];
    json(await run("train", ...common, "--steps", "10", "--out", "short", "--json"));
    const resumed = json(await run("train", "--resume", "--out", "short", "--steps", "16", "--json"));
    const whole = json(await run("train", ...common, "--steps", "16", "--out", "long", "--json"));
    expect(resumed.trainLoss).toBe(whole.trainLoss);
    const [a, b] = ["short", "long"].map((path) =>
      decodeSafetensors(readFileSync(`${path}/checkpoint/state.safetensors`), path),
    );
    expect(a!.tensors).toEqual(b!.tensors);
  });

  test("without validation has no validation loss, and bits by the training loss", async () => {
    const result = json(
      await run("train", "text.txt", ...SMALL, "--steps", "3", "--validation", "0", "--out", "all", "--json"),
    );
    expect(result.validationLoss).toBeNull();
    expect(result.bitsPerCharacter).toBeCloseTo(result.trainLoss / Math.LN2, 12);
  });
});

describe("train", () => {
  test("without --json prints nothing on standard output; without --out takes the next free folder", async () => {
    mkdirSync("runs/language-model-1", { recursive: true });
    const { code, stdout, stderr } = await run("train", "text.txt", ...SMALL, "--steps", "2");
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("saved in runs/language-model-2");
    expect(existsSync("runs/language-model-2/model.safetensors")).toBe(true);
  });

  test("stops early with --patience, and says so", async () => {
    const args = ["text.txt", ...SMALL, "--steps", "40", "--learning-rate", "3", "--patience", "2", "--out", "early"];
    const { code, stdout, stderr } = await run("train", ...args, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).steps).toBeLessThan(40);
    expect(stderr).toContain("stopped early, without a better model for 2 measurements, at step ");
  });

  test.each([
    ["word", ["--unit", "word", "--vocabulary-size", "13"]],
    ["byte", ["--unit", "byte"]],
    ["character", []],
  ])("learns a Chinese text by the unit %s; the model evaluates and writes", async (unit, options) => {
    writeFileSync("潮.txt", "天地悠悠，过客匆匆，潮起又潮落。\n".repeat(12));
    const common = [
      "潮.txt",
      "--hidden",
      "8",
      "--batch",
      "2",
      "--window",
      "8",
      "--steps",
      "40",
      "--learning-rate",
      "0.03",
    ];
    const trained = json(await run("train", ...common, ...options, "--out", `by-${unit}`, "--json"));
    const records = readFileSync(`by-${unit}/metrics.jsonl`, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.at(-1).loss).toBeLessThan(0.8 * records[0].loss);
    const evaluation = json(await run("evaluate", `by-${unit}`, "潮.txt", "--json"));
    const tokens = (evaluation.tokens as number) + 1;
    expect(evaluation.characters).toBe(204);
    expect(tokens).toBe(unit === "byte" ? 588 : 204);
    expect(evaluation.bitsPerCharacter).toBeCloseTo(((evaluation.loss as number) / Math.LN2) * (tokens / 204), 10);
    expect(evaluation.loss as number).toBeLessThan(2 * trained.validationLoss);
    const written = await run("generate", `by-${unit}`, "--prompt", "潮起", "--length", "30", "--temperature", "0.5");
    expect(written.code).toBe(0);
    expect(written.stdout).toMatch(/^潮起[\s\S]+\n$/);
    expect(written.stdout).not.toContain("<unk>");
    if (unit === "character") expect([...written.stdout].length).toBe(2 + 30 + 1);
  });

  test("keeps at most --vocabulary-size words", () => {
    const { vocabulary } = JSON.parse(readFileSync("by-word/config.json", "utf8"));
    expect(vocabulary.symbols.length).toBe(12);
  });
});

describe("generate", () => {
  test("writes the prompt and so many tokens, the same for the same seed", async () => {
    const write = async (...options: string[]) => (await run("generate", "run", "--length", "25", ...options)).stdout;
    expect((await write()).length).toBe(26);
    expect(await write("--prompt", "a line")).toMatch(/^a line[\s\S]{25}\n$/);
    expect(await write("--seed", "5")).toBe(await write("--seed", "5"));
    expect(await write("--seed", "5")).not.toBe(await write("--seed", "6"));
    const greedy = await write("--temperature", "0");
    expect(await write("--temperature", "0", "--seed", "9")).toBe(greedy);
    expect(await write("--top-k", "1", "--seed", "9")).toBe(greedy);
    expect(await write("--top-p", "0.000001")).toBe(greedy);
  });

  test("--beam writes the likeliest text it finds: with a beam of 1 the greedy one, the same every time", async () => {
    const write = async (...options: string[]) =>
      (await run("generate", "run", "--length", "25", "--prompt", "a line", ...options)).stdout;
    expect(await write("--beam", "1")).toBe(await write("--temperature", "0"));
    const searched = await write("--beam", "6");
    expect(searched).toMatch(/^a line[\s\S]{25}\n$/);
    expect(await write("--beam", "6")).toBe(searched);
  });
});

describe("evaluate", () => {
  test("reads every token whatever the number of streams", async () => {
    const one = json(await run("evaluate", "run", "text.txt", "--json"));
    const many = json(await run("evaluate", "run", "text.txt", "--json", "--batch", "8"));
    expect(many.tokens).toBe(one.tokens);
    expect(many.loss).not.toBe(one.loss);
    expect(many.loss).toBeCloseTo(one.loss as number, 1);
  });

  test("prints what it says in JSON, and the loss that training measured on the same text", async () => {
    const result = json(await run("evaluate", "run", "text.txt", "--json"));
    expect(Object.keys(result)).toEqual([
      "run",
      "file",
      "tokens",
      "characters",
      "unknown",
      "loss",
      "perplexity",
      "bitsPerCharacter",
      "accuracy",
    ]);
    expect(result).toMatchObject({ run: "run", file: "text.txt", tokens: 419, characters: 420, unknown: 0 });
    expect(result.perplexity).toBeCloseTo(Math.exp(result.loss as number), 10);
    const { stdout, stderr } = await run("evaluate", "run", "text.txt");
    expect(stderr).toBe("");
    expect(stdout).toContain(`loss                ${(result.loss as number).toFixed(4)} nats per character`);
    expect(stdout).toContain(`accuracy            ${(100 * (result.accuracy as number)).toFixed(2)} %`);
  });

  test("counts characters that the model does not know", async () => {
    writeFileSync("odd.txt", "a 潮 line 😀");
    expect(json(await run("evaluate", "run", "odd.txt", "--json"))).toMatchObject({
      tokens: 9,
      characters: 10,
      unknown: 2,
    });
    expect((await run("evaluate", "run", "odd.txt")).stderr).toBe(
      "note: 2 of 10 characters are unknown to the model\n",
    );
  });
});

describe("inspect", () => {
  test("lists settings and parameters, with and without --json", async () => {
    const result = json(await run("inspect", "run", "--json")) as Record<string, unknown>;
    expect(result).toMatchObject({
      run: "run",
      vocabularySize: 17,
      parameters: json(first).parameters,
      settings: { cell: "lstm", hidden: 6, steps: 30, files: ["text.txt"] },
    });
    const { tensors } = decodeSafetensors(readFileSync("run/model.safetensors"), "model");
    const bias = tensors.get("readout.bias")!;
    expect(result.tensors).toContainEqual({
      name: "readout.bias",
      dtype: "float32",
      shape: [17],
      norm: expect.closeTo(Math.hypot(...bias.data), 5),
    });
    const { code, stdout } = await run("inspect", "run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^hidden +6$/m);
    expect(stdout).toMatch(/^readout\.weight +\[17, 6\] +\d/m);
  });
});

describe("doctor", () => {
  test("says what runs here, with and without --json", async () => {
    const result = json(await run("doctor", "--json")) as Record<string, unknown>;
    expect(result).toEqual({
      version: "0.1.0",
      node: process.version,
      platform: expect.stringContaining(process.platform),
      processor: expect.any(String),
      cores: NUMBER,
      kernels: selectKernels().name,
      native: expect.toBeOneOf([
        { reason: expect.any(String) },
        {
          instructionSet: expect.any(String),
          supported: expect.any(Array),
          unsupported: expect.any(Array),
          peakGflops: NUMBER,
        },
      ]),
      wasm: WASM,
      matrixProductGflops: NUMBER,
    });
    const { code, stdout } = await run("doctor");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^native {10}(none: |at most [\d.]+ GFLOP\/s on one core, with )/m);
    expect(stdout).toMatch(/^wasm {12}at most [\d.]+ GFLOP\/s on one core, with (simd128|relaxed-simd)/m);
    expect(stdout).toMatch(/^matrix product {2}[\d.]+ GFLOP\/s/m);
  });
});

describe("help", () => {
  test.each(["train", "evaluate", "generate", "inspect", "doctor"])("%s --help shows examples", async (command) => {
    const { code, stdout, stderr } = await run(command, "--help");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`Usage: through-time ${command}`);
    expect(stdout).toMatch(new RegExp(`Examples:\\n {2}\\$ through-time ${command}`));
    expect(stdout).not.toContain("undefined");
    expect(await run("help", command)).toEqual({ code, stdout, stderr });
  });

  test("of the whole shows all commands; without a command it is an error", async () => {
    const { code, stdout } = await run("--help");
    expect(code).toBe(0);
    for (const word of ["train", "evaluate", "generate", "inspect", "doctor", "Examples:"])
      expect(stdout).toContain(word);
    expect(await run()).toMatchObject({ code: 2, stdout: "" });
    expect(await run("--version")).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
  });
});
