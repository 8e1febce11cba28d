/** Export and import: what comes back, what ONNX Runtime computes, and what is refused. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectClose } from "../../test/close.js";
import { type Outcome, run, type Scratch, scratchFolder } from "../../test/command-line.js";
import { openOnnx } from "../../test/onnx-runtime.js";
import { encodePyTorch, encodeSafetensors, exportOnnx } from "../io/index.js";
import { openModel } from "../node/index.js";
import { tanh } from "../ops/index.js";
import { type Tensor, tensor, tensorsByPath } from "../tensor/index.js";

const SMALL = ["--hidden", "4", "--layers", "2", "--batch", "2", "--window", "8", "--steps", "3"];
const CELLS = ["elman", "lstm", "gru", "gru-reset-before"] as const;
const before = process.cwd();
let scratch: Scratch;

const succeeds = async (...args: string[]): Promise<Outcome> => {
  const outcome = await run(...args);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  return outcome;
};

beforeAll(async () => {
  scratch = scratchFolder();
  process.chdir(scratch.path);
  writeFileSync("text.txt", "a line of text, and another line of text — früh.\n".repeat(8));
  for (const cell of CELLS) await succeeds("train", "text.txt", ...SMALL, "--cell", cell, "--out", cell);
});
afterAll(() => {
  process.chdir(before);
  scratch.remove();
});

const FILES = ["model.onnx", "model.safetensors", "model.pt"];

describe.each(CELLS)("a run with the cell %s", (cell) => {
  const files = FILES.filter((file) => !(cell === "gru-reset-before" && file.endsWith(".pt")));
  test.each(files)("comes back from %s with the same numbers", async (file) => {
    const [name, copy] = [`${cell}-${file}`, `${cell}-from-${file}`];
    await succeeds("export", cell, "--out", name);
    await succeeds("import", name, "--out", copy);
    const [was, is] = [await openModel(cell), await openModel(copy)];
    expect(is.config).toEqual({ ...was.config, imported: name });
    expect(tensorsByPath(is.params).map(([path, { data }]) => [path, [...data]])).toEqual(
      tensorsByPath(was.params).map(([path, { data }]) => [path, [...data]]),
    );
    for (const args of [["evaluate", "text.txt"], ["generate"]] as [string, ...string[]][]) {
      const original = await succeeds(args[0], cell, ...args.slice(1));
      expect((await succeeds(args[0], copy, ...args.slice(1))).stdout).toBe(original.stdout);
    }
    expect((await succeeds("inspect", copy)).stdout.replace(/^imported .*\n/m, "")).toBe(
      (await succeeds("inspect", cell)).stdout,
    );
  });

  test("gives the same logits and states in ONNX Runtime", async () => {
    const { model, params } = await openModel(cell);
    const session = await openOnnx(readFileSync(`${cell}-model.onnx`));
    const tokens = tensor(Int32Array.of(1, 2, 3, 4, 5, 6), { shape: [3, 2] });
    const carry = model.initialCarry(2);
    const initial = tensorsByPath(carry).map(([path, value]) => [`initial.${path}`, value] as const);
    const ours = model.logits(params, tokens, { carry });
    const final = tensorsByPath(ours.carry).map(([path, value]) => [`final.${path}`, value] as const);
    const theirs = await session({ tokens, ...Object.fromEntries(initial) });
    expectClose(theirs, { logits: ours.logits, ...Object.fromEntries(final) }, 1e-5);
  });
});

test("--format decides, not the ending, and --json says what was written", async () => {
  const exported = await succeeds("export", "lstm", "--format", "safetensors", "--out", "weights.bin", "--json");
  expect(JSON.parse(exported.stdout)).toEqual({
    run: "lstm",
    file: "weights.bin",
    format: "safetensors",
    bytes: statSync("weights.bin").size,
  });
  const imported = await succeeds("import", "weights.bin", "--out", "from-bin", "--json");
  expect(JSON.parse(imported.stdout)).toMatchObject({ file: "weights.bin", run: "from-bin" });
});

describe("with one sentence and nothing written,", () => {
  const files = (): string[] => (readdirSync(".", { recursive: true }) as string[]).sort();

  async function refused(code: 1 | 2, ...args: string[]): Promise<string> {
    const [had, outcome] = [files(), await run(...args)];
    expect(outcome, outcome.stderr).toMatchObject({ code, stdout: "" });
    expect(files()).toEqual(had);
    expect(outcome.stderr).toMatch(/^error: \S.*\n(\(Did you mean .*\?\)\n)?$/);
    return outcome.stderr.slice("error: ".length).trimEnd();
  }

  const x: Tensor = tensor([1, 2]);
  beforeAll(() => {
    mkdirSync("notes");
    writeFileSync("notes/todo.txt", "");
    writeFileSync("taken.onnx", "?");
    writeFileSync("nothing.pt", "");
    writeFileSync("text.onnx", "this is no model");
    writeFileSync("weights.safetensors", encodeSafetensors(new Map([["x", x]]), {}));
    writeFileSync("weights.pt", encodePyTorch(new Map([["x", x]])));
    writeFileSync("foreign.onnx", exportOnnx({ params: {}, inputs: { x }, apply: (_, { x }) => tanh(x as Tensor) }));
    const cut = (name: string) => readFileSync(name).subarray(0, statSync(name).size - 200);
    for (const file of FILES) writeFileSync(`cut-${file}`, cut(`lstm-${file}`));
    writeFileSync("settings.safetensors", encodeSafetensors(new Map([["x", x]]), { "through-time.config": "{}" }));
    const config = readFileSync("lstm/config.json", "utf8");
    writeFileSync("wrong.pt", encodePyTorch(new Map([["x", x]]), { "through-time.config": config }));
    writeFileSync("wrong.safetensors", encodeSafetensors(new Map([["x", x]]), { "through-time.config": config }));
  });

  test.each<[what: string, code: 1 | 2, args: string[], sentence: string]>([
    ["no run", 1, ["none", "--out", "a.onnx"], 'there is no run "none"'],
    ["a folder without a run", 1, ["notes", "--out", "a.onnx"], '"notes" holds no run'],
    ["no --out", 2, ["lstm"], "required option '--out <file>' not specified"],
    [
      "an unknown ending",
      2,
      ["lstm", "--out", "a.bin"],
      'the ending of "a.bin" tells no format; add --format with one of onnx',
    ],
    [
      "an unknown format",
      2,
      ["lstm", "--format", "onx", "--out", "a"],
      "Did you mean onnx? The choices are onnx, safetensors, pytorch.",
    ],
    ["a file that exists", 1, ["lstm", "--out", "taken.onnx"], '"taken.onnx" exists already; choose another name'],
    ["a folder of that name", 1, ["lstm", "--out", "notes", "--format", "onnx"], '"notes" exists already'],
    [
      "a folder that does not exist",
      1,
      ["lstm", "--out", "none/a.onnx"],
      '"none/a.onnx" could not be written: its folder does not exist',
    ],
    ["a file in the way", 1, ["lstm", "--out", "text.txt/a.onnx"], "a part of its path is a file, not a folder"],
    [
      "a cell that PyTorch does not have",
      2,
      ["gru-reset-before", "--out", "a.pt"],
      "PyTorch has no module for the cell gru-reset-before",
    ],
  ])("export refuses %s", async (_, code, args, sentence) => {
    expect(await refused(code, "export", ...args)).toContain(sentence);
  });

  test.each<[what: string, code: 1 | 2, args: string[], sentence: string]>([
    ["a missing file", 1, ["none.onnx", "--out", "new"], 'there is no file "none.onnx"'],
    ["an empty file", 1, ["nothing.pt", "--out", "new"], '"nothing.pt" is empty'],
    ["a folder", 1, ["notes", "--out", "new"], '"notes" is a folder, not a file'],
    ["no --out", 2, ["weights.pt"], "required option '--out <folder>' not specified"],
    ["the folder of a run", 1, ["lstm-model.onnx", "--out", "lstm"], '"lstm" already holds a run'],
    ["a folder with other files", 1, ["lstm-model.onnx", "--out", "notes"], '"notes" already holds other files'],
    ["text", 1, ["text.onnx", "--out", "new"], '"text.onnx" is damaged or not an ONNX model'],
    ["half an ONNX model", 1, ["cut-model.onnx", "--out", "new"], '"cut-model.onnx" is damaged'],
    ["half a safetensors file", 1, ["cut-model.safetensors", "--out", "new"], '"cut-model.safetensors" is damaged'],
    [
      "half a PyTorch file",
      1,
      ["cut-model.pt", "--out", "new"],
      '"cut-model.pt" is damaged or no state dictionary of PyTorch',
    ],
    [
      "weights without settings",
      1,
      ["weights.safetensors", "--out", "new"],
      "was not exported from a run: it holds weights, but no settings",
    ],
    ["a state dictionary without settings", 1, ["weights.pt", "--out", "new"], "was not exported from a run"],
    ["another ONNX model of ours", 1, ["foreign.onnx", "--out", "new"], "was not exported from a run"],
    [
      "settings of nothing",
      1,
      ["settings.safetensors", "--out", "new"],
      '"settings.safetensors" is no language model run of this version',
    ],
    [
      "weights of another model",
      1,
      ["wrong.pt", "--out", "new"],
      '"wrong.pt" does not fit the model it says it holds: ',
    ],
    [
      "tensors of another model",
      1,
      ["wrong.safetensors", "--out", "new"],
      '"wrong.safetensors" has no tensor embedding.table',
    ],
  ])("import refuses %s", async (_, code, args, sentence) => {
    expect(await refused(code, "import", ...args)).toContain(sentence);
    expect(existsSync("new")).toBe(false);
  });

  test("an ONNX model of another program: the command that executes it is named", async () => {
    const model = join(scratch.path, "other.onnx");
    const bytes = readFileSync("foreign.onnx");
    // Without the entry that only our exporter writes.
    const key = bytes.indexOf("through-time.weights");
    bytes[key] = "x".charCodeAt(0);
    writeFileSync(model, bytes);
    expect(await refused(1, "import", "other.onnx", "--out", "new")).toBe(
      '"other.onnx" was not exported from a run; "through-time run" executes ONNX models of other programs',
    );
    rmSync(model);
  });
});

test("a run that was imported is not trained on: there is nothing to resume", async () => {
  await succeeds("export", "lstm", "--out", "resumed.safetensors");
  await succeeds("import", "resumed.safetensors", "--out", "resumed");
  const model = readFileSync("resumed/model.safetensors");
  const refused = await run("train", "--resume", "--out", "resumed", "--steps", "9");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('"resumed" was imported from "resumed.safetensors" and cannot be resumed');
  expect(readFileSync("resumed/model.safetensors")).toEqual(model);
});

test("files tell the names of the training text, not where it lay", async () => {
  await succeeds("export", "lstm", "--out", "shared.safetensors");
  expect(readFileSync("shared.safetensors", "latin1")).toContain("text.txt");
  const config = JSON.parse(readFileSync("lstm/config.json", "utf8"));
  writeFileSync("lstm/config.json", JSON.stringify({ ...config, files: ["/home/somebody/private/text.txt"] }));
  await succeeds("export", "lstm", "--out", "private.safetensors");
  writeFileSync("lstm/config.json", JSON.stringify(config));
  expect(readFileSync("private.safetensors", "latin1")).not.toContain("somebody");
});
