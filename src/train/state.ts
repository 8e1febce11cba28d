/** Everything that a training run needs to go on, and how it becomes bytes. */

import { FileError, flattenTree, unflattenTree } from "../core/index.js";
import { decodeSafetensors, encodeSafetensors } from "../io/index.js";
import type { OptimizerState } from "../learn/index.js";
import { formatType, isTensor, sameType, type Tensor, type TensorTree } from "../tensor/index.js";

/** Numbers about a run that later reports build on. */
export interface Progress {
  /** Updates made so far. */
  readonly step: number;
  /** Exponential average of the training loss, in nats per step of a sequence. Undefined before the first update. */
  readonly averageLoss?: number;
  /** Best validation loss so far, and the step it was seen at. */
  readonly bestValidationLoss?: number;
  readonly bestStep?: number;
}

/** A training run between two updates. The tensors are replaced by later updates: encode them to keep them. */
export interface TrainState<Params extends TensorTree> {
  readonly params: Params;
  readonly optimizer: OptimizerState;
  /** State of the learning method: the carry of truncated BPTT, for instance. */
  readonly method: TensorTree;
  /** The key that all randomness of the run comes from. */
  readonly key: Tensor;
  readonly progress: Progress;
}

const PROGRESS = "progress";

const tensorsOf = ({ params, optimizer, method, key }: TrainState<TensorTree>): TensorTree => ({
  params,
  optimizer,
  method,
  key,
});

/** A state as the bytes of a safetensors file. */
export function encodeState(state: TrainState<TensorTree>): Uint8Array {
  const { leaves, paths } = flattenTree(tensorsOf(state), isTensor);
  const tensors = new Map(paths.map((path, index) => [path, leaves[index] as Tensor]));
  return encodeSafetensors(tensors, { [PROGRESS]: JSON.stringify(state.progress) });
}

/**
 * The state that was encoded.
 * @param like a state of the same run, such as the one before the first update
 * @param where name of the file, for errors
 * @throws FileError if the bytes are damaged, or belong to another architecture
 */
export function decodeState<Params extends TensorTree>(
  bytes: Uint8Array,
  like: TrainState<Params>,
  where: string,
): TrainState<Params> {
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  const progress = parseProgress(metadata[PROGRESS], where);
  const tree = restoreTree(tensors, tensorsOf(like), where) as Omit<TrainState<Params>, "progress">;
  return { ...tree, progress };
}

/** Tensors by name, put into the form of a tree. @throws FileError if one is missing, left over, or of another type */
export function restoreTree<T extends TensorTree>(tensors: ReadonlyMap<string, Tensor>, like: T, where: string): T {
  const { leaves, paths, definition } = flattenTree(like, isTensor);
  const found = paths.map((path, index) => {
    const tensor = tensors.get(path);
    const expected = leaves[index] as Tensor;
    if (tensor === undefined)
      throw new FileError(`"${where}" has no tensor ${path}; it was written by another architecture`);
    if (!sameType(tensor, expected)) {
      throw new FileError(
        `"${where}" has ${path} as ${formatType(tensor)}, but ${formatType(expected)} is needed; it was written by another architecture`,
      );
    }
    return tensor;
  });
  const extra = [...tensors.keys()].find((name) => !paths.includes(name));
  if (extra !== undefined)
    throw new FileError(`"${where}" has a tensor ${extra} that is not needed; it was written by another architecture`);
  return unflattenTree<Tensor>(definition, found) as T;
}

function parseProgress(text: string | undefined, where: string): Progress {
  try {
    const progress = JSON.parse(text ?? "") as Progress;
    const numbers = Object.values(progress).every((value) => Number.isFinite(value));
    if (numbers && Number.isInteger(progress.step) && progress.step >= 0) return progress;
  } catch {
    // Falls through to the error below: what is wrong with the text does not matter to the reader.
  }
  throw new FileError(`"${where}" is no checkpoint: its record of progress is missing or damaged`);
}
