import { expect, test } from "vitest";
import { sgd } from "../learn/index.js";
import { foldIn, mean, multiply, normal, randomKey, square, subtract, sum } from "../ops/index.js";
import { type Tensor, tensor, toNumber } from "../tensor/index.js";
import type { Progress } from "./experiment.js";
import { type LearnOptions, learn } from "./learn.js";

type Params = { readonly w: Tensor };

const options = (): LearnOptions<Params, { x: Tensor }> => ({
  params: { w: tensor([4]) },
  loss: ({ w }, { x }) => mean(square(subtract(multiply(w, 2), x))),
  batch: (key) => ({ x: normal(key, [3]) }),
  key: randomKey(1),
  updates: 4,
  optimizer: sgd({ learningRate: 0.05 }),
});

async function run(changes: Partial<LearnOptions<Params, { x: Tensor }>> = {}) {
  const progress: Progress[] = [];
  const learning = learn({ ...options(), ...changes });
  for (;;) {
    const { done, value } = await learning.next();
    if (done) return { ...value, progress };
    progress.push(value);
  }
}

test("learn makes one update for each batch, of the key folded with its number", async () => {
  let w = 4;
  for (let update = 0; update < 4; update++) {
    const { data } = normal(foldIn(randomKey(1), update), [3]);
    w -= (0.05 * 4 * Array.from(data).reduce((total, x) => total + (2 * w - x), 0)) / 3;
  }
  const { params, updates, progress } = await run();
  expect(toNumber(sum(params.w))).toBeCloseTo(w, 5);
  expect(updates).toBe(4);
  expect(progress.map(({ done }) => done)).toEqual([0.25, 0.5, 0.75, 1]);
});

test("learn rounds the number of updates up, and applies transforms to gradients", async () => {
  expect((await run({ updates: 2.1 })).updates).toBe(3);
  const still = await run({ transforms: [(gradient) => ({ w: multiply((gradient as Params).w, 0) }) as never] });
  expect(toNumber(sum(still.params.w))).toBe(4);
});

test("learn ends when the problem is solved, and is asked about it at most at each hundredth", async () => {
  const { updates, progress } = await run({ updates: 1000, solved: ({ w }) => Math.abs(w.data[0]!) < 1 });
  expect(updates % 10).toBe(0);
  expect(updates).toBeLessThan(1000);
  expect(progress.at(-1)?.done).toBe(updates / 1000);
  expect(progress.length).toBe(updates / 10);
});
