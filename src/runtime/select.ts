/** Chooses the kernels that run here. */

import type { Kernels } from "./kernels.js";
import { referenceKernels } from "./reference/kernels.js";

/** The fastest set of kernels that is present. */
export function selectKernels(): Kernels {
  return referenceKernels;
}
