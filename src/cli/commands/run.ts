/** `through-time run`: an ONNX model on arrays from files. */

import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { InvalidArgumentError } from "commander";
import { decodeNpy, encodeNpy, importOnnx, type NpyType, type OnnxValue } from "../../io/index.js";
import { makeFolder, readBinary, safeFileNames, writeFileAtomically } from "../../node/index.js";
import type { Tensor } from "../../tensor/index.js";
import { printableText } from "../format.js";

const EXAMPLES = `
Examples:
  $ through-time run classifier.onnx --input tokens=tokens.npy --out scores
  $ through-time run model.onnx --input x=x.npy --input h0=h0.npy --out results --json
`;

/** Collects `NAME=FILE`, a pair for each time the option is given. */
function collectInput(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const place = text.indexOf("=");
  const [name, file] = [text.slice(0, place), text.slice(place + 1)];
  if (place < 1 || file === "") throw new InvalidArgumentError("Give a name and a file, as in x=x.npy.");
  if (before.has(name)) throw new InvalidArgumentError(`The input "${name}" is given twice.`);
  return new Map([...before, [name, file]]);
}

/** The element type that the model says an output has, where files have it. */
const fileType = ({ elementType }: OnnxValue, { dtype }: Tensor): NpyType =>
  dtype === "int32" && (elementType === "int64" || elementType === "bool") ? elementType : dtype;

/** The command, ready to be added. */
export const runCommand = () =>
  new Command("run")
    .description("run an ONNX model on NumPy arrays")
    .argument("<model>", "ONNX file")
    .option("--input <name=file>", "array for an input, a .npy file; once for each input", collectInput)
    .requiredOption("--out <folder>", "where to write one .npy file for each output")
    .option("--json", "print one line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path, { input = new Map(), out, json }) => {
      const model = importOnnx(await readBinary(path), path);
      const inputs: Record<string, Tensor> = {};
      for (const [name, file] of input) inputs[name] = decodeNpy(await readBinary(file), file);
      const results = model.run(inputs);

      await makeFolder(out);
      const names = safeFileNames(
        model.outputs.map(({ name }) => name),
        ".npy",
      );
      const outputs = model.outputs.map((output, index) => {
        const value = results[output.name] as Tensor;
        const file = join(out, names[index] as string);
        return { name: output.name, type: fileType(output, value), shape: value.shape, file, value };
      });
      for (const { value, type, file } of outputs) await writeFileAtomically(file, encodeNpy(value, type));
      if (json === true) {
        const listed = outputs.map(({ name, type, shape, file }) => ({ name, type, shape, file }));
        process.stdout.write(`${JSON.stringify({ model: path, outputs: listed })}\n`);
        return;
      }
      const rows = [
        ["output", "shape", "file"],
        ...outputs.map(({ name, type, shape, file }) => [printableText(name), `${type}[${shape.join(",")}]`, file]),
      ] as [string, string, string][];
      const [first, second] = [0, 1].map(
        (column) => Math.max(...rows.map((row) => (row[column] as string).length)) + 2,
      );
      const lines = rows.map(
        ([name, type, file]) => name.padEnd(first as number) + type.padEnd(second as number) + file,
      );
      process.stdout.write(`${lines.join("\n")}\n`);
    });
