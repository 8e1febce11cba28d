/** A network that labels the steps of sequences. */

import type { SequenceProblem } from "../learn/index.js";
import { crossEntropy, type RecurrentLayer } from "../nn/index.js";
import type { FloatDType, TensorTree } from "../tensor/index.js";
import type { LabelledSequences } from "./data/labelled-sequences.js";
import { type Network, type NetworkParams, network } from "./network.js";

/** A network that tells classes, and the problem of learning to. */
export interface Labeller<Params extends TensorTree, Carry extends TensorTree> extends Network<Params> {
  /** Cross-entropy in nats, averaged over the steps where the class is asked for; it can be taken apart into steps. */
  readonly problem: SequenceProblem<NetworkParams<Params>, Carry, LabelledSequences>;
}

/** p(class at step t) = softmax(V h_t + c) */
export function labeller<Params extends TensorTree, Carry extends TensorTree>(
  layer: RecurrentLayer<Params, Carry>,
  classes: number,
): Labeller<Params, Carry> {
  const net = network(layer, classes);
  return {
    ...net,
    problem: {
      initialCarry: ({ xs }) => layer.initialCarry(xs.shape[1] as number, xs.dtype as FloatDType),
      loss: (params, before, { xs, targets, mask }) => {
        const { outputs, carry } = layer.apply(params.layer, xs, { carry: before });
        return { loss: crossEntropy(net.read(params, outputs), targets, mask), carry };
      },
    },
  };
}
