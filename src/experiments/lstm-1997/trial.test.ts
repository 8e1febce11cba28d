/** When learning is over, what is counted, and that every row can be run. */

import { describe, expect, test } from "vitest";
import { experimentById } from "../registry.js";
import { runSeed } from "../run-experiment.js";
import { lstm1997Experiments } from "./index.js";
import type { Learner } from "./learner.js";
import { errorAtTheEnd, largestError, meanError, type Sequence } from "./sequence.js";
import { allWithin, recentlyCorrect, scoreOf, whenTested } from "./stopping.js";
import { experimentOf, type Trial } from "./trial.js";

/** A sequence whose answer is wanted to be 0. */
const sequence: Sequence = { inputs: Float32Array.of(1), targets: Float32Array.of(0) };

/** Answers what it is told to, one after the other. */
function puppet(answers: readonly number[]): Learner {
  let next = 0;
  const answer = () => [answers[next++ % answers.length]!];
  return { params: [], answer, learn: answer };
}

describe("errors of a sequence", () => {
  test("compare numbers with numbers, and symbols with 1 at their place and 0 elsewhere", () => {
    const numbers = { inputs: Float32Array.of(0, 0), targets: Float32Array.of(0.5, 1) };
    expect([largestError([0.25, 1], numbers), meanError([0.25, 1], numbers)]).toEqual([0.25, 0.125]);
    const symbols = { inputs: Int32Array.of(0, 0), targets: Int32Array.of(2, 0) };
    const outputs = [0, 0.25, 1, 0.5, 0, 0];
    expect([largestError(outputs, symbols), meanError(outputs, symbols)]).toEqual([0.5, 0.125]);
    expect(errorAtTheEnd([1, 1, 1, 0.75, 0, 0], symbols)).toBe(0.25);
  });
});

describe("recentlyCorrect", () => {
  const firstSolved = (rule: ReturnType<typeof recentlyCorrect>, answers: readonly number[]) =>
    1 + answers.findIndex((answer) => rule(puppet([]), [answer], sequence));

  test("asks for a whole window without an error above the tolerance", () => {
    const rule = () => recentlyCorrect({ tolerance: 0.5, window: 3 });
    expect(firstSolved(rule(), [0, 0.5, 0, 0])).toBe(3);
    expect(firstSolved(rule(), [0, 0.75, 0, 0, 0])).toBe(5);
    expect(firstSolved(rule(), [0, 0.75, 0, 0, 0.75])).toBe(0);
  });

  test("allows fewer than wrongBelow, and asks for the mean error, too", () => {
    expect(firstSolved(recentlyCorrect({ tolerance: 0.5, window: 3, wrongBelow: 2 }), [1, 1, 0, 0])).toBe(4);
    const answers = [0.5, 0.25, 0.25, 0.125, 0.125];
    expect(firstSolved(recentlyCorrect({ tolerance: 0.5, window: 2, meanBelow: 0.25 }), answers)).toBe(4);
  });
});

test("whenTested tests at each interval alone", () => {
  let tests = 0;
  const rule = whenTested(3, () => ++tests === 2);
  const solved = Array.from({ length: 6 }, () => rule(puppet([]), [], sequence));
  expect([solved.indexOf(true), tests]).toEqual([5, 2]);
});

test("allWithin ends at the first sequence that is off, scoreOf counts all", () => {
  const asked = { count: 0 };
  const next = () => {
    asked.count += 1;
    return sequence;
  };
  expect(allWithin(puppet([0, 0.25, 0.5]), next, { count: 5, tolerance: 0.5 })).toBe(false);
  expect(asked.count).toBe(3);
  expect(allWithin(puppet([0, 0.25]), next, { count: 5, tolerance: 0.5 })).toBe(true);
  expect(scoreOf(puppet([0, 0.5, 1]), next, 6, 0.5)).toEqual({ wrong: 2, error: expect.closeTo(0.5, 12) });
});

describe("a trial", () => {
  const run = (trial: Partial<Trial>, limit = 1000) =>
    runSeed(
      experimentOf({
        id: "toy",
        title: "A toy",
        where: "nowhere",
        notes: "",
        presentations: 7,
        limit,
        trial: () => ({ learner: puppet([0.5]), next: () => sequence, isSolved: () => false, ...trial }),
      }),
      1,
    );

  test("ends when it is solved, counts the presentations, and measures what learnt", async () => {
    let presented = 0;
    const solved = await run({
      isSolved: () => ++presented === 142,
      measure: (learner) => ({ last: learner.answer(sequence)[0]! }),
    });
    expect(solved).toMatchObject({ success: true, figures: { solved: 1, presentations: 142, last: 0.5 } });
    expect(solved?.curve).toEqual([[0.1, expect.closeTo(0.5, 12)]]);
  });

  test("has failed at its limit", async () => {
    expect(await run({}, 250)).toMatchObject({ success: false, figures: { solved: 0, presentations: 250 } });
  });

  test("goes on with a grown learner once the error has stopped decreasing", async () => {
    const errors = [...new Array(100).fill(1), ...new Array(100).fill(0.9), ...new Array(100).fill(0.89)];
    const answered: number[] = [];
    await run(
      {
        learner: puppet(errors),
        grow: () => puppet([0.25]),
        isSolved: (_, answers) => answered.push(answers[0]!) === 400,
      },
      1000,
    );
    expect(answered.indexOf(0.25)).toBe(300);
  });
});

describe("the experiments of 1997", () => {
  test("are found by their names, which are all different", () => {
    const ids = lstm1997Experiments.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const name of ["1", "2a", "2b", "2c", "3a", "3b", "3c", "4", "5", "6a", "6b", "delayed-xor"]) {
      expect(ids).toContain(`lstm-1997/${name}`);
    }
    expect(ids.map((id) => experimentById(id).id)).toEqual(ids);
  });

  const small = [
    "1",
    "2a/4",
    "2b/closed-gate",
    "2c/no-recurrent-weights",
    "3a",
    "4/linear",
    "5",
    "6a",
    "delayed-xor",
  ].flatMap((name) => {
    const { id, cells, methods = [undefined] } = experimentById(`lstm-1997/${name}`);
    return cells.flatMap((cell) => methods.map((method) => [id, cell, method] as const));
  });
  const firstOf = (name: string, { limit, ...options }: { limit: number; cell?: string; method?: string }) =>
    runSeed(experimentById(name), 1, { ...options, effort: 9.5 / limit });

  test.each(small)("%s with %s and %s learns from ten sequences, and gives its figures", async (id, cell, method) => {
    const { figures } = experimentById(id);
    const limit =
      id.startsWith("lstm-1997/2a") || id.startsWith("lstm-1997/2b")
        ? 5_000_000
        : 10 * (figures.presentations?.paper ?? 10_000);
    const run = await firstOf(id, { limit, cell, ...(method !== undefined && { method }) });
    expect(Object.keys(run!.figures)).toEqual(Object.keys(figures));
    expect(run?.figures).toMatchObject({ solved: 0, presentations: 10 });
  });

  test("give the same figures for the same seed", async () => {
    const [one, again] = [
      await firstOf("lstm-1997/6a", { limit: 313_900 }),
      await firstOf("lstm-1997/6a", { limit: 313_900 }),
    ];
    expect(one?.figures).toEqual(again?.figures);
  });
});
