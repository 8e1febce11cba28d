/** `through-time doctor`: what runs here, and how fast. */

import { arch, availableParallelism, cpus, platform } from "node:os";
import { Command } from "@commander-js/extra-typings";
import { chooseInstructions, chooseVariant, kernelName, measurePeak, nativeAddon } from "../../node/index.js";
import { matmul, normal, randomKey } from "../../ops/index.js";
import { compile, hasInstructions, WASM_INSTRUCTIONS, wasmKernels, whyNoThreads } from "../../runtime/index.js";
import type { Tensor } from "../../tensor/index.js";
import { packageVersion } from "../version.js";

const EXAMPLES = `
Examples:
  $ through-time doctor
  $ through-time doctor --json
  $ THROUGH_TIME_ISA=generic THROUGH_TIME_WASM=simd128 through-time doctor
`;

/** Sizes of the matrix product that is measured: that of h in a step of an LSTM of 256 units with a batch of 32. */
const [ROWS, INNER, COLUMNS] = [32, 256, 1024];
const MEASURED_SECONDS = 0.5;

/** The command, ready to be added. */
export const doctorCommand = () =>
  new Command("doctor")
    .description("show which kernels run here, why, and how fast")
    .option("--json", "print one line of JSON")
    .addHelpText("after", EXAMPLES)
    .action(async ({ json }) => {
      const report = {
        version: packageVersion(),
        node: process.version,
        platform: `${platform()} ${arch()}`,
        processor: cpus()[0]?.model ?? "unknown",
        cores: availableParallelism(),
        kernels: kernelName(),
        native: native(),
        wasm: await wasm(),
        matrixProductGflops: rounded(measureMatrixProduct()),
      };
      if (json === true) {
        process.stdout.write(`${JSON.stringify(report)}\n`);
        return;
      }
      const lines = [
        `through-time    ${report.version}`,
        `node            ${report.node} on ${report.platform}`,
        `processor       ${report.processor}, ${report.cores} ${report.cores === 1 ? "core" : "cores"}`,
        `kernels         ${report.kernels}`,
        `native          ${describeNative(report.native)}`,
        `wasm            ${describeWasm(report.wasm)}`,
        `matrix product  ${report.matrixProductGflops} GFLOP/s (${ROWS}x${INNER} times ${INNER}x${COLUMNS}, float32)`,
      ];
      process.stdout.write(`${lines.join("\n")}\n`);
    });

/** Why kernels cannot run here. */
interface Missing {
  readonly reason: string;
}

/** Kernels that can: the most floating-point operations that one core does with them. */
interface Present {
  readonly peakGflops: number;
}

interface PresentNative extends Present {
  readonly instructionSet: string;
  readonly supported: readonly string[];
  readonly unsupported: readonly string[];
}

function native(): Missing | PresentNative {
  const loaded = nativeAddon();
  if ("reason" in loaded) return loaded;
  const variants = loaded.addon.variants();
  const { name } = chooseVariant(variants);
  const names = (supported: boolean) => variants.filter((one) => one.supported === supported).map((one) => one.name);
  return {
    instructionSet: name,
    supported: names(true),
    unsupported: names(false),
    peakGflops: rounded(measurePeak("native") ?? 0),
  };
}

function describeNative(status: Missing | PresentNative): string {
  if ("reason" in status) return describe(status);
  const { instructionSet, supported, unsupported } = status;
  const missing = unsupported.length > 0 ? ` and lacks ${unsupported.join(", ")}` : "";
  return `${describe(status)}, with ${instructionSet}; this processor has ${supported.join(", ")}${missing}`;
}

interface PresentWasm extends Present {
  readonly instructionSet: string;
  readonly unsupported: readonly string[];
  /** Why shards run one after the other, if they do. */
  readonly noThreads?: string;
}

async function wasm(): Promise<Missing | PresentWasm> {
  const instructionSet = chooseInstructions();
  const found = wasmKernels(instructionSet);
  if ("reason" in found) return found;
  const noThreads = await whyNoThreads(found.kernels);
  return {
    instructionSet,
    unsupported: WASM_INSTRUCTIONS.filter((name) => !hasInstructions(name)),
    peakGflops: rounded(measurePeak("wasm") ?? 0),
    ...(noThreads !== undefined && { noThreads }),
  };
}

function describeWasm(status: Missing | PresentWasm): string {
  if ("reason" in status) return describe(status);
  const { instructionSet, unsupported, noThreads } = status;
  const missing = unsupported.length > 0 ? `; this version of Node lacks ${unsupported.join(", ")}` : "";
  const threads = noThreads === undefined ? "" : `; shards run one after the other: ${noThreads}`;
  return `${describe(status)}, with ${instructionSet}${missing}${threads}`;
}

const describe = (status: Missing | Present): string =>
  "reason" in status ? `none: ${status.reason}` : `at most ${status.peakGflops} GFLOP/s on one core`;

const rounded = (value: number): number => Number(value.toFixed(2));

/** GFLOP/s of the median run. As in a loop, the second matrix is the same every time, and packed once. */
function measureMatrixProduct(): number {
  const [a, b] = [normal(randomKey(0), [ROWS, INNER]), normal(randomKey(1), [INNER, COLUMNS])];
  const multiply = compile((x: Tensor) => matmul(x, b)).bind(a);
  const times: number[] = [];
  const end = performance.now() + MEASURED_SECONDS * 1000;
  while (performance.now() < end || times.length < 5) {
    const start = performance.now();
    multiply();
    times.push(performance.now() - start);
  }
  times.sort((x, y) => x - y);
  return (2 * ROWS * INNER * COLUMNS) / ((times[Math.floor(times.length / 2)] as number) * 1e6);
}
