/** `through-time doctor`: what runs here, and how fast. */

import { arch, availableParallelism, cpus, platform } from "node:os";
import { Command } from "@commander-js/extra-typings";
import { kernelName } from "../../node/index.js";
import { matmul, normal, randomKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import type { Tensor } from "../../tensor/index.js";
import { packageVersion } from "../version.js";

const EXAMPLES = `
Examples:
  $ through-time doctor
  $ through-time doctor --json
`;

/** Sizes of the matrix product that is measured: that of an LSTM of 256 units with a batch of 32. */
const [ROWS, INNER, COLUMNS] = [32, 256, 1024];
const MEASURED_SECONDS = 0.5;

/** The command, ready to be added. */
export const doctorCommand = () =>
  new Command("doctor")
    .description("show which kernels run here, and how fast")
    .option("--json", "print one line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(({ json }) => {
      const report = {
        version: packageVersion(),
        node: process.version,
        platform: `${platform()} ${arch()}`,
        processor: cpus()[0]?.model ?? "unknown",
        cores: availableParallelism(),
        kernels: kernelName(),
        matrixProductGflops: Number(measureMatrixProduct().toFixed(2)),
      };
      if (json === true) {
        process.stdout.write(`${JSON.stringify(report)}\n`);
        return;
      }
      const lines = [
        `through-time    ${report.version}`,
        `node            ${report.node} on ${report.platform}`,
        `processor       ${report.processor}, ${report.cores} ${report.cores === 1 ? "core" : "cores"}`,
        `kernels         ${report.kernels}: plain TypeScript, one core; this version has no others`,
        `matrix product  ${report.matrixProductGflops} GFLOP/s (${ROWS}x${INNER} times ${INNER}x${COLUMNS}, float32)`,
      ];
      process.stdout.write(`${lines.join("\n")}\n`);
    });

/** GFLOP/s of the median run. */
function measureMatrixProduct(): number {
  const multiply = compile((a: Tensor, b: Tensor) => matmul(a, b));
  const [a, b] = [normal(randomKey(0), [ROWS, INNER]), normal(randomKey(1), [INNER, COLUMNS])];
  const times: number[] = [];
  const end = performance.now() + MEASURED_SECONDS * 1000;
  while (performance.now() < end || times.length < 5) {
    const start = performance.now();
    multiply(a, b);
    times.push(performance.now() - start);
  }
  times.sort((x, y) => x - y);
  return (2 * ROWS * INNER * COLUMNS) / ((times[Math.floor(times.length / 2)] as number) * 1e6);
}
