/** The benchmark: ours and its peers on each workload, one process each, in alternating rounds. */

import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CommanderError } from "@commander-js/extra-typings";
import { disagreement } from "./agreement.js";
import { type BenchmarkOptions, benchmarkCommand } from "./options.js";
import { PEERS, peersFolder } from "./peers.js";
import { environmentFor, MeasuredProcess, pinned } from "./process.js";
import type { Ready, Sample } from "./protocol.js";
import { formatTable, linesOf, OURS, type Result } from "./report.js";
import { median, summarize } from "./summary.js";
import { WORKLOADS, type Workload } from "./workloads.js";

const ROUND_MS = 1000;
const WARM_UP_MS = 1000;
/** 1: we could not be measured, or computed something else than PyTorch. 2: wrong usage. */
const EXIT = { failure: 1, usage: 2 } as const;

interface Competitor {
  readonly name: string;
  readonly command: readonly string[];
}

/** A competitor that has warmed up on a workload, and what was measured so far. */
interface Contender {
  readonly name: string;
  readonly process: MeasuredProcess;
  readonly ready: Ready;
  readonly samples: Sample[];
  readonly peaks: number[];
}

const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** Runs the benchmark and returns the exit code. @param args without the names of node and the script */
export async function runBenchmark(args: readonly string[]): Promise<number> {
  let failed = false;
  const command = benchmarkCommand(async (options) => {
    if (options.out !== undefined) {
      try {
        appendFileSync(options.out, "");
      } catch (error) {
        command.error(`error: "${options.out}" cannot be written: ${(error as Error).message}`);
      }
    }
    const competitors = findCompetitors(options);
    for (const workload of WORKLOADS.filter(({ name }) => options.only.includes(name))) {
      if (!(await runWorkload(workload, competitors, options))) failed = true;
    }
  });
  try {
    await command.parseAsync(args as string[], { from: "user" });
  } catch (error) {
    // Help ends with 0; the message of a usage error is already printed.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    throw error;
  }
  return failed ? EXIT.failure : 0;
}

function findCompetitors({ peers, threads }: BenchmarkOptions): Competitor[] {
  const place = (command: readonly string[]) => (threads === 1 ? pinned(command) : command);
  const ours = fileURLToPath(new URL("ours.js", import.meta.url));
  const found: Competitor[] = [{ name: OURS, command: place([process.execPath, ours]) }];
  for (const { name, find } of PEERS.filter((peer) => peers.includes(peer.name))) {
    const peer = find(peersFolder());
    if ("command" in peer) found.push({ name, command: place(peer.command) });
    else note(`${name}: not installed: ${peer.missing}`);
  }
  return found;
}

/** @returns whether all is well with us */
async function runWorkload(
  workload: Workload,
  competitors: readonly Competitor[],
  options: BenchmarkOptions,
): Promise<boolean> {
  const contenders = await prepareAll(workload, competitors, options);
  const results: Result[] = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of contenders) await measureOnce(workload, contender);
  }
  for (const contender of contenders) {
    if (contender.samples.length > 0) results.push(resultOf(contender, options));
    await contender.process.end();
  }
  const lines = linesOf(workload, results);
  const json = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  if (options.out !== undefined) appendFileSync(options.out, json);
  if (lines.length > 0) process.stdout.write(options.json ? json : `${formatTable(lines)}\n`);
  return agreesWithPytorch(workload, results) && results.some(({ peer }) => peer === OURS);
}

async function prepareAll(
  workload: Workload,
  competitors: readonly Competitor[],
  { threads, kernels }: BenchmarkOptions,
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const { name, command } of competitors) {
    const child = new MeasuredProcess(command, environmentFor(threads));
    const ready = await child.prepare({ prepare: workload, threads, kernels, warmUpMs: WARM_UP_MS });
    if ("ready" in ready) contenders.push({ name, process: child, ready, samples: [], peaks: [] });
    else {
      note(`${name}: not measured on ${workload.name}: ${ready.unable}`);
      await child.end();
    }
  }
  return contenders;
}

async function measureOnce(workload: Workload, { name, process: child, samples, peaks }: Contender): Promise<void> {
  const measured = await child.measure(ROUND_MS);
  if ("unable" in measured) {
    note(`${name}: stopped on ${workload.name}: ${measured.unable}`);
    return;
  }
  samples.push(...measured.samples);
  if (typeof measured.peakGflops === "number") peaks.push(measured.peakGflops);
}

function resultOf({ name, process: child, ready, samples, peaks }: Contender, options: BenchmarkOptions): Result {
  const threads = ready.threads ?? options.threads;
  return {
    peer: name,
    kernels: name === OURS ? options.kernels : null,
    variant: ready.variant ?? null,
    threads,
    summary: summarize(samples, threads),
    firstCallMs: ready.firstCallMs,
    compileMs: ready.compileMs,
    peakMemory: child.peakMemory(),
    peakGflops: peaks.length > 0 ? median(peaks) : null,
    check: ready.check,
  };
}

/** A figure for something else than what PyTorch computes is worthless, so that is said loudly. */
function agreesWithPytorch(workload: Workload, results: readonly Result[]): boolean {
  const ours = results.find(({ peer }) => peer === OURS);
  const problems = results
    .filter(({ peer }) => peer.startsWith("pytorch"))
    .flatMap(({ peer, check }) => {
      const difference = disagreement(workload, ours?.check ?? [], check);
      return difference === undefined ? [] : [`MISMATCH on ${workload.name} with ${peer}: ${difference}`];
    });
  problems.forEach(note);
  return problems.length === 0;
}
