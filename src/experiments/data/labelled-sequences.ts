/** Sequences with labels. */

import type { Tensor } from "../../tensor/index.js";

/** Sequences, and the classes of their steps. */
export type LabelledSequences = {
  /** `[time, batch, inputSize]` */
  readonly xs: Tensor;
  /** int32 `[time, batch]`, each in [0, classes) */
  readonly targets: Tensor;
  /** int32 `[time, batch]`: 1 where the class is asked for, else 0 */
  readonly mask: Tensor;
};
