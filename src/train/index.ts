/**
 * The training loop, its reports, and checkpoints.
 *
 * @module train
 */

export { addShards, joinShards, takeShard } from "./shards.js";
export { decodeState, encodeState, type Progress, restoreTree, type TrainState } from "./state.js";
export {
  type Checkpoints,
  initialState,
  type TrainOptions,
  type TrainReport,
  train,
  updatePlans,
  type Validation,
} from "./train.js";
