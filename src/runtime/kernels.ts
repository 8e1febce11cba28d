/** What every set of kernels offers: to run a Plan. */

import type { Plan, Target } from "../compile/index.js";
import type { Program } from "../program/index.js";
import type { HostTensor } from "../tensor/index.js";

/** A Plan with its memory, ready to run any number of times. */
export interface Executable {
  /**
   * Computes `outputs` (of the Plan's output types) from `inputs`. The memory of an output that takes over that of an input (see
   * `Plan.takesOver`) is that of the input; no other memory is shared.
   */
  run(inputs: readonly HostTensor[], outputs: readonly HostTensor[]): void;
  /** Says where the next `runTogether` finds inputs and leaves outputs. */
  bind?(inputs: readonly HostTensor[], outputs: readonly HostTensor[]): void;
}

/** Threads apart from the caller's, which is free while they compute. */
export interface Crew {
  /**
   * Runs a Plan for each of several lists of inputs: `outputs[k]` from `inputs[k]`, on thread k modulo their number. Memory is given for the
   * Plan once a thread, when it is first run.
   */
  run(
    plan: Plan,
    inputs: readonly (readonly HostTensor[])[],
    outputs: readonly (readonly HostTensor[])[],
  ): Promise<void>;
  /** Ends the threads. What still runs fails. */
  end(): void;
}

/** A set of kernels. */
export interface Kernels {
  readonly name: string;
  /** What Programs are prepared for. Undefined: they are executed operation by operation. */
  readonly target?: Target;
  /** Whether it has all that a Program needs; if not, the reference kernels run it. */
  supports(program: Program): boolean;
  /** Gives a Plan its memory. */
  prepare(plan: Plan): Executable;
  /**
   * Runs Plans of its own that were bound, several at a time; executable k on thread k modulo `threads`, so that which thread runs what does
   * not depend on chance. Undefined: one after the other, or on a crew.
   */
  runTogether?(executables: readonly Executable[], threads: number): void;
  /** Starts threads that run Plans while the caller does something else, or tells why it cannot. Undefined: it has none. */
  startCrew?(threads: number): Promise<Crew | { readonly reason: string }>;
}
