/** Memory that a run needs may be gone: arrays are empty once their buffer was transferred to another thread. */

import { MemoryError } from "../core/index.js";
import { formatType, type HostTensor } from "../tensor/index.js";

/** @throws MemoryError if the tensor's memory was given away */
export function requireMemory(tensor: HostTensor): void {
  if (tensor.data.length === 0 && tensor.shape.every((length) => length > 0))
    throw new MemoryError(
      `the memory of ${formatType(tensor)} was given away (transferred to another thread); copy it`,
    );
}
