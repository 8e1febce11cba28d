/** The options of the benchmark. */

import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { nearestName } from "through-time";
import { DEFAULT_KERNELS, KERNEL_NAMES, type KernelName } from "./kernel-names.js";
import { PEER_NAMES } from "./peers.js";
import { WORKLOADS } from "./workloads.js";

const WORKLOAD_NAMES = WORKLOADS.map(({ name }) => name);
const NO_PEERS = "none";

const EXAMPLES = `
Examples:
  $ npm run bench -- --only train-lstm-S,train-lstm-M --peers pytorch
  $ npm run bench -- --peers none --rounds 2
  $ npm run --silent bench -- --json --out results.jsonl

Workloads:
  ${WORKLOAD_NAMES.join("\n  ")}
`;

/** What was asked for. */
export interface BenchmarkOptions {
  readonly only: readonly string[];
  readonly kernels: KernelName;
  readonly threads: number;
  readonly peers: readonly string[];
  readonly json?: true;
  readonly rounds: number;
  readonly out?: string;
}

function known<Name extends string>(what: string, name: string, names: readonly Name[]): Name {
  if ((names as readonly string[]).includes(name)) return name as Name;
  throw new InvalidArgumentError(
    `There is no ${what} "${name}"; did you mean ${nearestName(name, names)}? Choose from ${names.join(", ")}.`,
  );
}

const listOf = (what: string, names: readonly string[]) => (text: string) =>
  text.split(",").map((name) => known(what, name, names));

const wholeNumber = (name: string) => (text: string) => {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError(`${name} must be a whole number of at least 1.`);
};

const option = <Flags extends string>(flags: Flags, description: string) => new Option(flags, description);

/** The command; `action` gets the options. Usage errors are thrown as CommanderError, their message printed. */
export const benchmarkCommand = (action: (options: BenchmarkOptions) => Promise<void>) =>
  new Command("bench")
    .description("measure this toolkit beside others, in alternating rounds")
    .addOption(
      option("--only <workloads>", "workloads, separated by commas")
        .argParser(listOf("workload", WORKLOAD_NAMES))
        .default(WORKLOAD_NAMES, "all"),
    )
    .addOption(
      option("--kernels <name>", `our kernels: ${KERNEL_NAMES.join(", ")}`)
        .argParser((text) => known("set of kernels", text, KERNEL_NAMES))
        .default(DEFAULT_KERNELS),
    )
    .addOption(
      option("--threads <n>", "threads that each may use; ours train in as many shards, and do the rest on one")
        .argParser(wholeNumber("threads"))
        .default(1),
    )
    .addOption(
      option("--peers <names>", `"${NO_PEERS}", or of: ${PEER_NAMES.join(", ")}`)
        .argParser((text) => (text === NO_PEERS ? [] : listOf("peer", PEER_NAMES)(text)))
        .default(PEER_NAMES, "all that are installed"),
    )
    .option("--json", "print one line of JSON for each result instead of tables")
    .addOption(option("--rounds <n>", "rounds of one second for each").argParser(wholeNumber("rounds")).default(5))
    .option("--out <file>", "append the lines of JSON to a file as they come")
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .action((options) => action(options as BenchmarkOptions));
