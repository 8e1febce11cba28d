/** Which inputs of a scan body depend on what is differentiated: a carry does as soon as any step makes it. */

import type { Variable } from "../program/index.js";
import { activeVariables } from "../transforms/index.js";
import type { ScanParams } from "./params.js";

/** Grows the active inputs until an active carry output always means an active carry input. */
export function activeBodyInputs({ body, carries }: ScanParams, active: readonly boolean[]): boolean[] {
  const grown = [...active];
  for (let settled = false; !settled; ) {
    const reached = activeVariables(body, grown);
    settled = true;
    for (let carry = 0; carry < carries; carry++) {
      if (!grown[carry] && reached.has(body.outputs[carry] as Variable)) {
        grown[carry] = true;
        settled = false;
      }
    }
  }
  const reached = activeVariables(body, grown);
  return body.inputs.map((variable) => reached.has(variable));
}
