/** Takes carries, slices, constants and results out of a loop when nobody reads them. */

import { type Pruned, pruneProgram, type Variable } from "../program/index.js";
import { firstConstant, pick, type ScanParams } from "./params.js";

/** Which outputs of a loop were read when it was pruned: while the same are, there is nothing more to take out of it. */
const settled = new WeakMap<ScanParams, string>();

/** A carry stays if its last value is read, or if a later step needs it for something that stays. */
export function pruneScan(params: ScanParams, inputCount: number, used: readonly boolean[]): Pruned<ScanParams> {
  const { body, carries } = params;
  if (settled.get(params) === String(used))
    return { params, keptInputs: [...body.inputs.keys()], keptOutputs: [...used.keys()] };
  const kept = [...used];
  for (;;) {
    const keptOutputs = kept.flatMap((keep, index) => (keep ? [index] : []));
    const pruned = pruneProgram(body, pick(body.outputs, keptOutputs));
    const read = new Set<Variable>([...pruned.outputs, ...pruned.equations.flatMap(({ inputs }) => inputs)]);
    const isNeeded = (index: number) => !kept[index] && read.has(body.inputs[index] as Variable);
    const needed = Array.from({ length: carries }, (_, index) => index).filter(isNeeded);
    if (needed.length > 0) {
      for (const index of needed) kept[index] = true;
      continue;
    }
    const keptInputs = Array.from({ length: inputCount }, (_, index) => index).filter((index) =>
      index < carries ? kept[index] : read.has(body.inputs[index] as Variable),
    );
    const left: ScanParams = {
      ...params,
      body: { ...pruned, inputs: pick(body.inputs, keptInputs) },
      carries: keptInputs.filter((index) => index < carries).length,
      slices: keptInputs.filter((index) => index >= carries && index < firstConstant(params)).length,
    };
    settled.set(left, String(keptOutputs.map((index) => used[index])));
    return { params: left, keptInputs, keptOutputs };
  }
}
