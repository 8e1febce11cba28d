/** The state of a stream as bytes, and back. */

import { definitionKey, FileError, flattenTree, ShapeError } from "../core/index.js";
import { decodeSafetensors, encodeSafetensors } from "../io/index.js";
import { formatType, isTensor, sameType, type Tensor, type TensorTree, tensorsByPath } from "../tensor/index.js";

const FORMAT = { format: "through-time stepper state" };

const nameOf = (path: string): string => (path === "" ? "carry" : `carry.${path}`);

/** @throws ShapeError unless a state has the form and the types of another one */
export function requireSameState(where: string, given: TensorTree, expected: TensorTree): void {
  const [form, wanted] = [given, expected].map((tree) => definitionKey(flattenTree(tree, isTensor).definition));
  if (form !== wanted) throw new ShapeError(`${where}: the state must have the form ${wanted}, but has ${form}`);
  const parts = tensorsByPath(given);
  tensorsByPath(expected).forEach(([path, type], index) => {
    const part = (parts[index] as [string, Tensor])[1];
    if (sameType(part, type)) return;
    throw new ShapeError(`${where}: ${nameOf(path)} must be ${formatType(type)}, but is ${formatType(part)}`);
  });
}

/** Writes numbers over those of a state of the same form. */
export function copyState(from: TensorTree, to: TensorTree): void {
  const parts = tensorsByPath(from);
  tensorsByPath(to).forEach(([, { data }], index) => {
    data.set((parts[index] as [string, Tensor])[1].data);
  });
}

/** A state in the safetensors format, with a checksum. */
export const encodeState = (state: TensorTree): Uint8Array =>
  encodeSafetensors(new Map(tensorsByPath(state).map(([path, part]) => [nameOf(path), part])), FORMAT);

/**
 * Reads a state over another one of the same form, which stays as it was if anything is wrong.
 * @throws FileError if the bytes are damaged, no state, or that of another model or batch
 */
export function decodeStateInto(bytes: Uint8Array, state: TensorTree): void {
  const { tensors, metadata } = decodeSafetensors(bytes, "the saved state");
  const parts = tensorsByPath(state).map(([path, part]) => [nameOf(path), part] as const);
  if (metadata.format !== FORMAT.format)
    throw new FileError('stepper: these bytes are no state; give what "save" gave');
  const [found, expected] = [[...tensors], parts].map((list) =>
    list
      .map(([name, part]) => `${name} ${formatType(part)}`)
      .sort()
      .join(", "),
  );
  if (found !== expected) {
    throw new FileError(
      `stepper: the saved state is of another model or batch: it holds ${found}, but this one has ${expected}`,
    );
  }
  for (const [name, { data }] of parts) data.set((tensors.get(name) as Tensor).data);
}
