/** What an optimizer is: how parameters follow gradients. */

import { add, cast, zeros, zerosLike } from "../../ops/index.js";
import { mapTensors, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";

/** State of an optimizer: how many updates were made (int32), and trees like the parameters. */
export type OptimizerState = { readonly updates: Tensor; readonly [slot: string]: TensorTree };

/** A pure pair: the state at the start, and one update. Both can be traced. */
export interface Optimizer {
  readonly name: string;
  /** What the optimizer knows before the first update. */
  init(params: TensorTree): OptimizerState;
  /** New parameters and the new state. */
  update<Params extends TensorTree>(
    params: Params,
    gradient: Params,
    state: OptimizerState,
  ): { readonly params: Params; readonly state: OptimizerState };
}

/** A count of 0 updates. */
export const noUpdates = (): Tensor => zeros([], "int32");

/** Zeros like the parameters. */
export const zerosTree = <T extends TensorTree>(like: T): T => mapTensors(zerosLike, like);

/** One update more. */
export const countUpdate = (state: OptimizerState): Tensor => add(state.updates, 1);

/** The number of updates made so far, as a float of the parameters' type, for schedules and bias corrections. */
export const updatesAsFloat = (state: OptimizerState, params: TensorTree): Tensor =>
  cast(state.updates, tensorsByPath(params)[0]?.[1].dtype ?? "float32");
