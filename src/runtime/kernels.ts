/** What every set of kernels offers: to run a Plan. */

import type { Plan } from "../compile/index.js";
import type { HostTensor } from "../tensor/index.js";

/** A Plan with its memory, ready to run any number of times. */
export interface Executable {
  /** Computes `outputs` (of the Plan's output types) from `inputs`. Outputs are written last: they may be inputs. */
  run(inputs: readonly HostTensor[], outputs: readonly HostTensor[]): void;
}

/** A set of kernels. */
export interface Kernels {
  readonly name: string;
  prepare(plan: Plan): Executable;
}
