/** What is left in the loops of the cells: one matrix product forward and one backward, where the equations allow. */

import { expect, test } from "vitest";
import { numbers } from "../../../test/close.js";
import { optimize, prepareFor, printPlan } from "../../compile/index.js";
import { randomKey, square, sum, zeros } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import type { Tensor, TensorTree } from "../../tensor/index.js";
import { grad, traceTree } from "../../transforms/index.js";
import type { Cell } from "../cell.js";
import { recurrent } from "../recurrent/recurrent.js";
import { CELL_NAMES, cellByName, layerNormGru, layerNormLstm, lstm, lstm1997 } from "./index.js";

const SIZES = { inputSize: 3, hiddenSize: 4 };

const VARIANTS = {
  "layer-norm-lstm, summed": layerNormLstm({ ...SIZES, placement: "summed", cellNorm: "carry" }),
  "layer-norm-gru, summed": layerNormGru({ ...SIZES, placement: "summed" }),
  "lstm-1997, in blocks": lstm1997({ inputSize: 3, blocks: 2, blockSize: 2, bias: "gates" }),
  "lstm-1997, truncated": lstm1997({ inputSize: 3, blocks: 2, truncateGradient: true }),
  "lstm-1997, not recurrent": lstm1997({ inputSize: 3, blocks: 2, recurrentWeights: false }),
};

/** Where it is not one product forward and one backward: a product needs the result of another, units have no
 * weights between them, or the state is the output. */
const PRODUCTS: Readonly<Record<string, readonly number[]>> = {
  "gru-reset-before": [2, 2],
  mgu: [2, 2],
  mut1: [2, 2],
  mut2: [2, 2],
  mut3: [3, 3],
  jordan: [2, 2],
  indrnn: [0, 0],
  "min-gru": [0, 0],
  "min-lstm": [0, 0],
  lru: [0, 0],
  "lstm-1997, truncated": [1, 0],
  "lstm-1997, not recurrent": [0, 0],
};

/** Products in each loop of the gradient for the parameters. */
function productsInLoops(cell: Cell<TensorTree, TensorTree>): number[] {
  const layer = recurrent(cell);
  const loss = (params: TensorTree, xs: Tensor) => sum(square(layer.apply(params, xs).outputs));
  const params = layer.init(randomKey(1), "float64");
  const plan = printPlan(compile((p: TensorTree, xs: Tensor) => grad(loss)(p, xs)).plan(params, numbers(1, [6, 2, 3])));
  return (plan.match(/^loop[\s\S]*?^}/gm) ?? []).map((loop) => loop.match(/= matmul/g)?.length ?? 0);
}

test.each([
  ...CELL_NAMES.map((name) => [name, cellByName(name, SIZES)] as const),
  ...Object.entries(VARIANTS).map(([name, cell]) => [name, cell as unknown as Cell<TensorTree, TensorTree>] as const),
])("%s has as few products in its loops as its equations allow", (name, cell) => {
  expect(productsInLoops(cell)).toEqual(PRODUCTS[name] ?? [1, 1]);
});

test("the gradients of both weights of a layer are one product behind the loop", () => {
  const layer = recurrent(lstm(SIZES));
  const loss = (params: TensorTree, xs: Tensor) => sum(square(layer.apply(params as never, xs).outputs));
  const { program } = traceTree(grad(loss), [layer.init(randomKey(1)), zeros([6, 2, 3])]);
  const { equations } = prepareFor({ panel: 16, width: 8 }, optimize(program).program, []).program;
  const products = equations.filter(({ primitive }) => primitive.name === "product");
  // One for the inputs of all steps forward, one for the weights.
  expect(products.map(({ outputs }) => outputs[0]?.type.shape)).toEqual([
    [12, 16],
    [16, 7],
  ]);
});
