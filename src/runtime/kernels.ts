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
   * not depend on chance. Undefined: one after the other.
   */
  runTogether?(executables: readonly Executable[], threads: number): void;
}
