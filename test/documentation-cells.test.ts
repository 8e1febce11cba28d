/** The table of all cells, docs/cells/README.md, against the cells themselves. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { printPlan } from "../src/compile/index.js";
import * as nn from "../src/nn/index.js";
import { randomKey, square, sum, zeros } from "../src/ops/index.js";
import { compile } from "../src/runtime/index.js";
import { type Tensor, type TensorTree, tensorsByPath } from "../src/tensor/index.js";
import { grad } from "../src/transforms/index.js";

const page = readFileSync(new URL("../docs/cells/README.md", import.meta.url), "utf8");
const ROW = /^\| \[`(\w+)`\]\([\w.-]+\) \| ([^|]+) \| (\d) \| ([^|]+) \|/gm;
const rows = [...page.matchAll(ROW)].map(([, name, parameters, products, state]) => ({
  name: name as string,
  parameters: parameters as string,
  products: Number(products),
  state: state as string,
}));

type AnyCell = nn.Cell<TensorTree, TensorTree>;
type MakeCell = (options: Record<string, unknown>) => AnyCell;

const [n, h] = [3, 8];

/** What the page counts a cell with, where that is more than two sizes. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  leakyElman: { inputSize: n, hiddenSize: h, leakRate: 0.5 },
  skipElman: { inputSize: n, hiddenSize: h, delays: [1, 3] },
  lstm1997: { inputSize: n, blocks: h },
};

const cellOf = (name: string): AnyCell =>
  (nn as unknown as Readonly<Record<string, MakeCell>>)[name]!(OPTIONS[name] ?? { inputSize: n, hiddenSize: h });

/** The value of a formula such as `3h(n + 1) + 2h²`. */
function evaluate(formula: string): number {
  const product = formula.replaceAll("²", "**2").replace(/([\dhn)])(?=[hn(])/g, "$1*");
  return new Function("n", "h", `return ${product}`)(n, h) as number;
}

const numbersIn = (tree: TensorTree): number =>
  tensorsByPath(tree).reduce((total, [, { data }]) => total + data.length, 0);

/** Matrix products in each loop of the gradient for the parameters. */
function productsInLoops(cell: AnyCell): number[] {
  const layer = nn.recurrent(cell);
  const gradient = grad((params: TensorTree, xs: Tensor) => sum(square(layer.apply(params, xs).outputs)));
  const plan = printPlan(compile(gradient).plan(layer.init(randomKey(1), "float64"), zeros([6, 2, n], "float64")));
  return (plan.match(/^loop[\s\S]*?^}/gm) ?? []).map((loop) => loop.match(/= matmul/g)?.length ?? 0);
}

test("it has every cell that has a name", () => {
  const camelCase = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(nn.CELL_NAMES.map(camelCase)));
});

test.each(rows)("$name has the parameters, the state and the products that the table says", (row) => {
  const cell = cellOf(row.name);
  expect(numbersIn(cell.init(randomKey(1)))).toBe(evaluate(row.parameters));
  expect(numbersIn(cell.initialCarry(1))).toBe(evaluate(row.state));
  expect(productsInLoops(cell)).toEqual([row.products, row.products]);
});
