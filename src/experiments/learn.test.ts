import { expect, test } from "vitest";
import { sgd } from "../learn/index.js";
import { foldIn, mean, multiply, normal, ones, randomKey, square, subtract, sum } from "../ops/index.js";
import { type Tensor, tensor, toNumber } from "../tensor/index.js";
import type { Progress } from "./experiment.js";
import { type LearnOptions, type LearnProblemOptions, learn, learnProblem } from "./learn.js";

type Params = { readonly w: Tensor };

const options = (): LearnOptions<Params, { x: Tensor }> => ({
  params: { w: tensor([4]) },
  loss: ({ w }, { x }) => mean(square(subtract(multiply(w, 2), x))),
  batch: (key) => ({ x: normal(key, [3]) }),
  key: randomKey(1),
  updates: 4,
  optimizer: sgd({ learningRate: 0.05 }),
});

const run = (changes: Partial<LearnOptions<Params, { x: Tensor }>> = {}) => ended(learn({ ...options(), ...changes }));

async function ended<Learnt extends object>(learning: AsyncGenerator<Progress, Learnt>) {
  const progress: Progress[] = [];
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

test("learnProblem begins with the problem's carry, and hands it a key, as it is learnt", async () => {
  const { loss, ...rest } = options();
  const problem = (learntOnly: number): LearnProblemOptions<Params, Tensor, { x: Tensor }>["problem"] => ({
    initialCarry: () => tensor([3]),
    loss: ({ w }, carry, { x }, key) => ({
      loss: {
        total: loss({ w: multiply(w, key === undefined ? 1 : learntOnly) }, { x: multiply(x, carry) }),
        count: ones([]),
      },
      carry,
    }),
  });
  const [learnt, same] = await Promise.all([
    ended(learnProblem({ ...rest, problem: problem(0.5) })),
    run({ loss: ({ w }, { x }) => loss({ w: multiply(w, 0.5) }, { x: multiply(x, 3) }) }),
  ]);
  expect(learnt).toEqual(same);
});
