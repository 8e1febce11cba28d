/** The exact methods agree on every cell of the package, alone and on top of each other, and with finite differences. */

import { describe, expect, test } from "vitest";
import { expectClose, numbers } from "../../../test/close.js";
import { CELL_NAMES, cellByName, dense, meanSquaredError, recurrent, stacked } from "../../nn/index.js";
import { foldIn, randomKey } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { type FloatDType, type Tensor, type TensorTree, tensorsByPath, toNumber } from "../../tensor/index.js";
import { bptt, type LearningMethod, rtrl, type SequenceProblem, truncatedBptt } from "../index.js";

const [INPUTS, UNITS, STEPS] = [2, 3, 6] as const;

type Batch = { readonly xs: Tensor; readonly targets: Tensor };
type Params = { readonly layers: readonly TensorTree[]; readonly readout: TensorTree };
type Problem = { readonly problem: SequenceProblem<Params, readonly TensorTree[], Batch>; readonly params: Params };

/** A readout behind layers of one cell. */
function problemOf(name: string, numLayers: number): Problem {
  const layer = stacked(
    Array.from({ length: numLayers }, (_, index) =>
      recurrent(cellByName(name, { inputSize: index === 0 ? INPUTS : UNITS, hiddenSize: UNITS })),
    ),
  );
  const readout = dense({ inputSize: UNITS, outputSize: 1 });
  return {
    problem: {
      initialCarry: ({ xs }) => layer.initialCarry(xs.shape[1] as number, xs.dtype as FloatDType),
      loss: (params, carry, { xs, targets }) => {
        const result = layer.apply(params.layers, xs, { carry });
        const predictions = readout.apply(params.readout as ReturnType<typeof readout.init>, result.outputs);
        return { loss: meanSquaredError(predictions, targets), carry: result.carry };
      },
    },
    params: {
      layers: layer.init(foldIn(randomKey(4), 0), "float64"),
      readout: readout.init(foldIn(randomKey(4), 1), "float64"),
    },
  };
}

const batch: Batch = { xs: numbers(1, [STEPS, 2, INPUTS]), targets: numbers(2, [STEPS, 2, 1]) };

/** Loss and gradient over the whole window, from the initial carry. */
const learn = (method: LearningMethod, { problem, params }: Problem) => {
  const state = method.init(problem, batch, params);
  const step = compile((at: Params, before: TensorTree) => {
    const { gradient, loss } = method.step(problem, at, before, batch, randomKey(0));
    return { gradient, loss };
  });
  return step(params, state);
};

describe.each(CELL_NAMES)("%s", (name) => {
  test.each([1, 2])("has one gradient by bptt, by truncatedBptt and by rtrl, with %i layers", (numLayers) => {
    const problem = problemOf(name, numLayers);
    const exact = learn(bptt(), problem);
    expectClose(learn(rtrl(), problem), exact, 1e-10);
    expectClose(learn(truncatedBptt(), problem), exact, 1e-12);
  });

  test("has the gradient of finite differences", () => {
    const { problem, params } = problemOf(name, 1);
    const { gradient } = learn(rtrl(), { problem, params });
    const gradients = new Map(tensorsByPath(gradient));
    const lossAt = compile((at: Params) => problem.loss(at, problem.initialCarry(batch), batch).loss);
    const average = (): number => {
      const { total, count } = lossAt(params);
      return toNumber(total) / toNumber(count);
    };
    const shift = 1e-5;
    for (const [path, { data }] of tensorsByPath(params)) {
      for (let k = 0; k < data.length; k += 3) {
        const before = data[k]!;
        data[k] = before + shift;
        const above = average();
        data[k] = before - shift;
        const below = average();
        data[k] = before;
        expect(Math.abs(gradients.get(path)!.data[k]! - (above - below) / (2 * shift)), `${path}[${k}]`).toBeLessThan(
          1e-8,
        );
      }
    }
  });
});
