/** RNN, GRU and LSTM: their inputs, directions and outputs around the cell of their kind. */

import { recurrent } from "../../../nn/index.js";
import { at, concatenate, split, stack, transpose, zeros } from "../../../ops/index.js";
import { type FloatDType, formatType, type Shape, sameShape, type Tensor } from "../../../tensor/index.js";
import type { NodeCall, Operator } from "../node-call.js";
import { readActivations } from "./recurrent-activations.js";
import { GRU, type Kind, LSTM, RNN, type Sizes, type Weights } from "./recurrent-kinds.js";

/**
 * The operator of one kind: X, W, R, B, sequence_lens, initial states and (LSTM) P to Y and the last states.
 *
 *   X [time, batch, inputSize]      Y [time, directions, batch, hiddenSize]      states [directions, batch, hiddenSize]
 *
 * With `layout` 1 the batch comes first in all of them.
 */
const operator =
  (kind: Kind): Operator =>
  (node) => {
    const batchFirst = node.int("layout", 0) !== 0;
    const direction = node.choice("direction", ["forward", "reverse", "bidirectional"]);
    const directions = direction === "bidirectional" ? 2 : 1;
    const given = node.input(0);
    const xs = batchFirst ? transpose(given, [1, 0, 2]) : given;
    const sizes = readSizes(node, kind, directions);
    const sequenceLengths = node.inputs[4];
    const activations = readActivations(node, directions, kind.activations);
    const cellOf = kind.settings(node);
    const initial = kind.state.map((_, index) => node.inputs[5 + index]);

    const results = activations.map((own, index) => {
      const { cell, params } = cellOf(sizes, readWeights(node, kind, sizes, index), own);
      const layer = recurrent(cell, { reverse: direction === "reverse" || index === 1 });
      const start = layer.initialCarry(xs.shape[1] as number, xs.dtype as FloatDType);
      const carry = Object.fromEntries(
        kind.state.map((name, component) => {
          const state = initial[component];
          return [name, state === undefined ? (start[name] as Tensor) : at(state, index, batchFirst ? 1 : 0)];
        }),
      );
      return layer.apply(params, xs, { carry, ...(sequenceLengths && { sequenceLengths }) });
    });
    const y = stack(
      results.map(({ outputs }) => outputs),
      1,
    );
    const states = kind.state.map((name) =>
      stack(
        results.map(({ carry }) => carry[name] as Tensor),
        batchFirst ? 1 : 0,
      ),
    );
    return [batchFirst ? transpose(y, [2, 0, 1, 3]) : y, ...states];
  };

function readSizes(node: NodeCall, { gates }: Kind, directions: number): Sizes {
  const [x, w, r] = [node.input(0), node.input(1), node.input(2)];
  const hiddenSize = node.int("hidden_size", r.shape.at(-1) ?? 0);
  const inputSize = x.shape.at(-1) ?? 0;
  const rows = gates.length * hiddenSize;
  const mustBe = (name: string, given: Tensor | undefined, shape: Shape) => {
    if (given === undefined || sameShape(given.shape, shape)) return;
    throw node.error(`needs ${name} of shape [${shape}], but was given ${formatType(given)}`);
  };
  if (x.shape.length !== 3) throw node.error(`needs an input X with 3 axes, but was given ${formatType(x)}`);
  mustBe("W", w, [directions, rows, inputSize]);
  mustBe("R", r, [directions, rows, hiddenSize]);
  mustBe("B", node.inputs[3], [directions, 2 * rows]);
  mustBe("P", node.inputs[7], [directions, 3 * hiddenSize]);
  return { inputSize, hiddenSize };
}

function readWeights(node: NodeCall, { gates }: Kind, { hiddenSize }: Sizes, direction: number): Weights {
  const [w, r, b, p] = [1, 2, 3, 7].map((index) => node.inputs[index] && at(node.inputs[index], direction)) as [
    Tensor,
    Tensor,
    Tensor | undefined,
    Tensor | undefined,
  ];
  const ordered = (x: Tensor): Tensor => {
    const blocks = split(x, gates.length, 0);
    return concatenate(
      gates.map((place) => blocks[place] as Tensor),
      0,
    );
  };
  const [biasIh, biasHh] = (b ? split(b, 2) : [0, 1].map(() => zeros([gates.length * hiddenSize], w.dtype))) as [
    Tensor,
    Tensor,
  ];
  return { weightIh: ordered(w), weightHh: ordered(r), biasIh: ordered(biasIh), biasHh: ordered(biasHh), peephole: p };
}

export const rnnOperator: Operator = operator(RNN);
export const gruOperator: Operator = operator(GRU);
export const lstmOperator: Operator = operator(LSTM);
