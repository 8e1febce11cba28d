/** A Plan as kernels in C++ execute it: words of code, and where each entry of the table of places points. */

import type { HostTensor } from "../../tensor/index.js";

/** Where an entry of the table points. Entries that a loop moves from step to step begin anywhere. */
export type MachinePlace =
  | { readonly in: "input"; readonly index: number }
  | { readonly in: "output"; readonly index: number }
  | { readonly in: "constant"; readonly index: number }
  | { readonly in: "arena"; readonly offset: number }
  | { readonly in: "step" };

/** What a set of kernels needs to run a Plan. */
export interface MachineProgram {
  /** See kernels/codes.hpp. */
  readonly code: Int32Array;
  readonly places: readonly MachinePlace[];
  readonly constants: readonly HostTensor[];
  readonly arenaBytes: number;
}
