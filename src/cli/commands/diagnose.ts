/** `through-time diagnose`: how gradients flow through a run's model, and what its gates do. */

import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { DataError } from "../../core/index.js";
import { makeFolder, openModel, readPart, validationPart, writeFileAtomically } from "../../node/index.js";
import { type BySpan, type Diagnosis, diagnoseText } from "../../tasks/index.js";
import { diagnosisPictures, gradientChart } from "../diagnosis-plots.js";
import { formatCount } from "../format.js";
import { wholeNumber } from "../option-values.js";

const EXAMPLES = `
Examples:
  $ through-time diagnose runs/book
  $ through-time diagnose runs/book chapter.txt --window 2000
  $ through-time diagnose runs/book --steps 64 --out diagnosis

With --out it writes diagnosis.json, gradient.svg and jacobians.svg, and gates.svg if
the cell has gates. By default it takes ten seconds or less for a state of up to about
1,000 numbers; the time grows with the square of --steps.
`;

/** Tokens that are read where nothing else is said. */
const WINDOW = 512;

/** The command, ready to be added. */
export const diagnoseCommand = () =>
  new Command("diagnose")
    .description("show how gradients flow back through a model, and what its gates do")
    .argument("<run>", "folder of a run")
    .argument("[file]", "text file (default: the validation part of the run's own text)")
    .option(
      "--window <n>",
      `tokens to read (default: ${WINDOW}, or all if the text is shorter)`,
      wholeNumber("window", 2),
    )
    .option(
      "--steps <n>",
      "steps at the end of the window to look at one by one (default: 32, fewer for large models)",
      wholeNumber("steps", 2),
    )
    .option("--out <folder>", "where to write the pictures and diagnosis.json")
    .option("--json", "print one line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path, file, { window, steps, out, json }) => {
      const { config, vocabulary, model, params } = await openModel(path);
      const { tokens } = file === undefined ? await validationPart(config, path) : await readPart(file, vocabulary);
      if (window !== undefined && tokens.length <= window) {
        throw new DataError(
          `the text has ${formatCount(tokens.length)} ${config.unit}s, but a window of ${formatCount(window)} needs ${formatCount(window + 1)}; use a shorter window, or more text`,
        );
      }
      const read = tokens.subarray(0, (window ?? WINDOW) + 1);
      const diagnosis = diagnoseText(model, params, read, steps === undefined ? {} : { steps });
      const record = { run: path, ...(file !== undefined && { file }), ...diagnosis };
      if (out !== undefined) {
        await makeFolder(out);
        for (const [name, svg] of diagnosisPictures(diagnosis)) await writeFileAtomically(join(out, name), svg);
        await writeFileAtomically(join(out, "diagnosis.json"), `${JSON.stringify(record)}\n`);
      }
      if (json === true) process.stdout.write(`${JSON.stringify(record)}\n`);
      else process.stdout.write(`${describe(diagnosis, config.unit).join("\n")}\n`);
    });

function describe(diagnosis: Diagnosis, unit: string): string[] {
  const { tokens, carrySize, steps, jacobianNorms, lyapunovExponent, spectralRadii, gates } = diagnosis;
  return [
    `${formatCount(tokens)} ${unit}s read; Jacobians of the last ${steps} steps, for ${formatCount(carrySize)} numbers of state`,
    "",
    gradientChart(diagnosis),
    "",
    "norm of the Jacobian, by the steps between",
    ...table([["steps", "median", "largest"], ...spansToShow(jacobianNorms).map(rowOfSpan)]),
    "",
    `largest Lyapunov exponent  ${formatNorm(lyapunovExponent)} nats a step`,
    meaningOf(lyapunovExponent),
    ...(spectralRadii.length === 0
      ? []
      : [
          "",
          "spectral radius of the recurrent weights",
          ...table([
            ["layer", "block", "radius"],
            ...spectralRadii.map(({ layer, block, radius }) => [
              `${layer}`,
              block === "" ? "all" : block,
              radius.toFixed(3),
            ]),
          ]),
        ]),
    ...(gates.length === 0
      ? []
      : [
          "",
          "gates: part of the time below 0.1 and from 0.9 on, mean",
          ...table([
            ["layer", "gate", "shut", "open", "mean"],
            ...gates.map(({ layer, gate, shut, open, mean }) => [
              `${layer}`,
              gate,
              ...[shut, open].map((parts) => `${(100 * meanOf(parts)).toFixed(1)} %`),
              meanOf(mean).toFixed(3),
            ]),
          ]),
        ]),
  ];
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Spans 1, 2, 4, ... and the longest. */
const spansToShow = (norms: readonly BySpan[]): BySpan[] =>
  norms.filter(({ span }) => Number.isInteger(Math.log2(span)) || span === norms.length);

const rowOfSpan = ({ span, median, largest }: BySpan): string[] => [`${span}`, formatNorm(median), formatNorm(largest)];

/** Three digits: 0.0123, 1.20, 1.23e-8. */
function formatNorm(value: number): string {
  const size = Math.abs(value);
  return value === 0 || (size >= 1e-3 && size < 1e3) ? value.toPrecision(3) : value.toExponential(2);
}

function meaningOf(exponent: number): string {
  if (exponent === Number.NEGATIVE_INFINITY) return "a small difference of the state is gone altogether at some step";
  const steps = Math.abs(1 / exponent);
  const count = steps < 10 ? steps.toFixed(1) : formatCount(steps);
  if (steps > 10_000) return "a small difference of the state stays about as it is";
  return exponent > 0
    ? `a small difference of the state grows 2.7 times in ${count} steps: gradients can explode`
    : `a small difference of the state shrinks 2.7 times in ${count} steps: it is forgotten`;
}

/** Cells in columns, the first left, the others right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart((widths[column] as number) + 2),
      )
      .join(""),
  );
}
