/** The measured side, in JavaScript: answers the requests of `protocol.ts` on standard input and output. */

import { createInterface } from "node:readline";
import {
  CHECKED_CALLS,
  FIRST_CALL_LIMIT_SECONDS,
  type Measured,
  type MeasureRequest,
  type PrepareRequest,
  type Ready,
  type Sample,
  type Unable,
} from "./protocol.js";

/** A workload that can be run again and again. */
export interface Repeated {
  /** One call; what it returns is ignored, but a promise is awaited. */
  run(): unknown;
  /** The loss of the last call, or a mean over its result; without it nothing is compared. */
  check?(): number;
  readonly compileMs?: number;
  /** See `Ready`. */
  readonly threads?: number;
  /** See `Measured`. */
  peakGflops?(): number | null;
}

/** One way to do a workload. */
export interface Variant {
  readonly name?: string;
  make(): Repeated | Promise<Repeated>;
}

/** A request that this competitor cannot do; the reason is shown. */
export class CannotDo extends Error {}

/** A sample is as many calls as last about this long. */
const SAMPLE_MS = 5;

interface Chosen {
  readonly repeated: Repeated;
  readonly ready: Ready;
  readonly msPerCall: number;
}

/** Answers requests until standard input ends. @param variants the ways to do a workload; the fastest is measured */
export async function serve(
  variants: (request: PrepareRequest) => readonly Variant[] | Promise<readonly Variant[]>,
): Promise<void> {
  // Libraries greet on standard output; only answers belong there.
  console.log = console.error;
  const answer = (reply: Ready | Unable | Measured) => process.stdout.write(`${JSON.stringify(reply)}\n`);
  let chosen: Chosen | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as PrepareRequest | MeasureRequest;
    try {
      if ("prepare" in request) {
        chosen = await fastest(await variants(request), request);
        answer(chosen.ready);
      } else {
        if (chosen === undefined) throw new CannotDo("nothing is prepared");
        const samples = await measure(chosen, request.measure);
        answer({ samples, peakGflops: chosen.repeated.peakGflops?.() ?? null });
      }
    } catch (error) {
      if (!(error instanceof CannotDo)) console.error(error);
      answer({ unable: String(error instanceof Error ? error.message : error).split("\n", 1)[0] as string });
    }
  }
  process.exit(0);
}

async function fastest(variants: readonly Variant[], request: PrepareRequest): Promise<Chosen> {
  let best: Chosen | undefined;
  for (const variant of variants) {
    const candidate = await prepare(variant, request);
    if (best === undefined || candidate.msPerCall < best.msPerCall) best = candidate;
  }
  return best as Chosen;
}

async function prepare({ name, make }: Variant, { prepare: { kind }, warmUpMs }: PrepareRequest): Promise<Chosen> {
  const start = performance.now();
  const repeated = await make();
  const built = performance.now();
  await repeated.run();
  const firstCallMs = performance.now() - built + (repeated.compileMs ?? 0);
  if (firstCallMs > FIRST_CALL_LIMIT_SECONDS * 1000) {
    throw new CannotDo(`the first call took ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
  const checkedCalls = CHECKED_CALLS[kind];
  const check: number[] = [];
  for (let call = 1; call <= (checkedCalls.at(-1) as number); call++) {
    if (call > 1) await repeated.run();
    if (checkedCalls.includes(call) && repeated.check) check.push(repeated.check());
  }
  const times: number[] = [];
  const end = performance.now() + warmUpMs;
  do {
    const before = performance.now();
    await repeated.run();
    times.push(performance.now() - before);
  } while (performance.now() < end);
  return {
    repeated,
    // The later half of the warm-up tells best how long a call takes from now on.
    msPerCall: times.slice(Math.floor(times.length / 2)).reduce((least, time) => Math.min(least, time)),
    ready: {
      ready: true,
      firstCallMs,
      compileMs: repeated.compileMs ?? null,
      check,
      ...(name && { variant: name }),
      ...(repeated.threads && { threads: repeated.threads }),
    },
  };
}

async function measure({ repeated, msPerCall }: Chosen, milliseconds: number): Promise<Sample[]> {
  const calls = Math.max(1, Math.round(SAMPLE_MS / msPerCall));
  const samples: Sample[] = [];
  const end = performance.now() + milliseconds;
  do {
    const [cpu, wall] = [process.cpuUsage(), performance.now()];
    for (let call = 0; call < calls; call++) {
      const result = repeated.run();
      if (result instanceof Promise) await result;
    }
    const [elapsed, used] = [performance.now() - wall, process.cpuUsage(cpu)];
    samples.push({ wall: elapsed / calls, cpu: (used.user + used.system) / 1000 / calls });
  } while (performance.now() < end);
  return samples;
}
