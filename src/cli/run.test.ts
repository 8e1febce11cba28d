import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { f64, int32 } from "../../test/close.js";
import { run, type Scratch, scratchFolder } from "../../test/command-line.js";
import { decodeNpy, encodeNpy } from "../io/index.js";
import { ELEMENT_TYPE, encodeOnnx, type OnnxModel, type OnnxNode } from "../io/onnx/proto.js";
import { tensor } from "../tensor/index.js";

const before = process.cwd();
let scratch: Scratch;

const value = (name: string, elemType: number, ...dims: (number | string)[]) => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: dims.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })) },
    },
  },
});

/** y = 2x, and whether x is negative; the outputs have names that no file should have. */
const model = (...nodes: OnnxNode[]): OnnxModel => ({
  irVersion: 8,
  graph: {
    node: [
      { opType: "Add", input: ["x", "x"], output: ["../y"] },
      { opType: "Less", input: ["x", "../y"], output: [".. y"] },
      { opType: "Shape", input: ["x"], output: ["SHAPE"] },
      { opType: "Identity", input: ["k"], output: ["shape"] },
      ...nodes,
    ],
    input: [value("x", ELEMENT_TYPE.float, "batch", 2), value("k", ELEMENT_TYPE.int64, "n")],
    output: [
      value("../y", ELEMENT_TYPE.float, "batch", 2),
      value(".. y", ELEMENT_TYPE.bool, "batch", 2),
      value("SHAPE", ELEMENT_TYPE.int64, 2),
      value("shape", ELEMENT_TYPE.int64, "n"),
    ],
  },
  opsetImport: [{ version: 17 }],
});

beforeAll(() => {
  scratch = scratchFolder();
  process.chdir(scratch.path);
  writeFileSync("m.onnx", encodeOnnx(model()));
  writeFileSync("cut.onnx", encodeOnnx(model()).subarray(0, 60));
  writeFileSync("odd.onnx", encodeOnnx(model({ opType: "ConvTranspose", name: "conv1" })));
  writeFileSync("x.npy", encodeNpy(tensor([[1, -2]])));
  writeFileSync("x64.npy", encodeNpy(f64([1, -2], [1, 2])));
  writeFileSync("wide.npy", encodeNpy(tensor([[1, -2, 3]])));
  writeFileSync("k.npy", encodeNpy(int32([4]), "int64"));
  writeFileSync("text.npy", "1 2 3 4 5 6");
  writeFileSync("empty.npy", "");
  mkdirSync("folder");
});
afterAll(() => {
  process.chdir(before);
  scratch.remove();
});

const GIVEN = ["--input", "x=x.npy", "--input", "k=k.npy"];
const read = (file: string) => String(decodeNpy(readFileSync(file), file));

describe("run", () => {
  test("writes each output into a file with a name of its own, in the type that the model says", async () => {
    const outcome = await run("run", "m.onnx", ...GIVEN, "--out", "made/results");
    expect(outcome).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "output  shape         file\n" +
        "../y    float32[1,2]  made/results/__y.npy\n" +
        ".. y    bool[1,2]     made/results/__y-2.npy\n" +
        "SHAPE   int64[2]      made/results/SHAPE.npy\n" +
        "shape   int64[1]      made/results/shape-2.npy\n",
    });
    expect(readdirSync("made/results").sort()).toEqual(["SHAPE.npy", "__y-2.npy", "__y.npy", "shape-2.npy"]);
    expect(read("made/results/__y.npy")).toBe("float32[1,2] [[2,-4]]");
    expect(read("made/results/__y-2.npy")).toBe("int32[1,2] [[1,0]]");
    expect(read("made/results/SHAPE.npy")).toBe("int32[2] [1,2]");
    expect(readFileSync("made/results/SHAPE.npy", "latin1")).toContain("'descr': '<i8'");
    expect(readFileSync("made/results/__y-2.npy", "latin1")).toContain("'descr': '|b1'");
  });

  test("prints one line of JSON when asked", async () => {
    const { stdout } = await run("run", "m.onnx", ...GIVEN, "--out", "json", "--json");
    expect(stdout.trimEnd()).not.toContain("\n");
    const { model: path, outputs } = JSON.parse(stdout);
    expect(path).toBe("m.onnx");
    expect(outputs[0]).toEqual({ name: "../y", type: "float32", shape: [1, 2], file: "json/__y.npy" });
    expect(outputs).toHaveLength(4);
  });

  test.each<[what: string, code: 1 | 2, args: string[], sentence: string]>([
    ["no model", 2, ["--out", "o"], "error: missing required argument 'model'"],
    ["no folder", 2, ["m.onnx", ...GIVEN], "error: required option '--out <folder>' not specified"],
    ["an input without a file", 2, ["m.onnx", "--input", "x", "--out", "o"], "Give a name and a file, as in x=x.npy."],
    ["an input twice", 2, ["m.onnx", ...GIVEN, "--input", "x=x.npy", "--out", "o"], 'The input "x" is given twice.'],
    ["a missing model", 1, ["none.onnx", "--out", "o"], 'there is no file "none.onnx"; check the path'],
    ["a file that is no model", 1, ["x.npy", "--out", "o"], '"x.npy" is damaged or not an ONNX model'],
    ["a model cut short", 1, ["cut.onnx", "--out", "o"], '"cut.onnx" is damaged or not an ONNX model'],
    [
      "an unknown operator",
      1,
      ["odd.onnx", "--out", "o"],
      'an operator that is not supported: node "conv1" (ConvTranspose)',
    ],
    ["a missing array", 1, ["m.onnx", "--input", "x=none.npy", "--out", "o"], 'there is no file "none.npy"'],
    ["a text as array", 1, ["m.onnx", "--input", "x=text.npy", "--out", "o"], '"text.npy" is damaged or not a NumPy'],
    ["an empty array", 1, ["m.onnx", "--input", "x=empty.npy", "--out", "o"], '"empty.npy" is empty; use another copy'],
    [
      "an unknown input",
      1,
      ["m.onnx", "--input", "X=x.npy", "--out", "o"],
      '"m.onnx" has no input "X"; did you mean "x"?',
    ],
    [
      "an input that is left out",
      1,
      ["m.onnx", "--input", "x=x.npy", "--out", "o"],
      '"m.onnx" needs the input "k", int32[n]',
    ],
    [
      "another element type",
      1,
      ["m.onnx", ...GIVEN.with(1, "x=x64.npy"), "--out", "o"],
      'the input "x" must be float32[batch,2], but is float64[1,2]',
    ],
    [
      "another shape",
      1,
      ["m.onnx", ...GIVEN.with(1, "x=wide.npy"), "--out", "o"],
      'the input "x" must be float32[batch,2], but is float32[1,3]',
    ],
    [
      "a file as folder",
      1,
      ["m.onnx", ...GIVEN, "--out", "x.npy"],
      '"x.npy" could not be written: a file of that name is in the way',
    ],
  ])("refuses %s, with one sentence and nothing written", async (_, code, args, sentence) => {
    const had = readdirSync(".");
    const outcome = await run("run", ...args);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toMatch(/^error: \S.*\n$/);
    expect(outcome.stderr).toContain(sentence);
    expect(readdirSync(".")).toEqual(had);
  });
});
