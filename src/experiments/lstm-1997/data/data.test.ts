/** The sequences of 1997: what the paper says about them, counted and looked up. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RandomSource, randomSource } from "../random-source.js";
import type { Sequence } from "../sequence.js";
import { fixedMiddle, randomMiddle, triggered } from "./long-lag.js";
import { addingPairs, delayedXor, multiplyingPairs, twoClasses } from "./numbers.js";
import { embeddedReber, nextSymbols, predictsLegally, REBER_SYMBOLS, reberStrings } from "./reber.js";
import { ORDER_SYMBOLS, THREE_PLACES, TWO_PLACES, temporalOrder } from "./temporal-order.js";

const draw = <T>(count: number, one: (random: RandomSource) => T, seed = 1): T[] => {
  const random = randomSource(seed, 0);
  return Array.from({ length: count }, () => one(random));
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const counted = (values: readonly number[]): number[] => {
  const counts: number[] = [];
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

describe("embedded Reber strings", () => {
  /** The inner string, between B T and T E or between B P and P E. */
  const INNER = /^B(T|P)(B[TPSXVE]+E)\1E$/;
  /** Whether an inner string is one of the grammar, by a table of its states that is written down independently. */
  const isReber = (text: string): boolean => {
    const next: Record<string, string> = {
      "0B": "1",
      "1T": "2",
      "1P": "3",
      "2S": "2",
      "2X": "4",
      "3T": "3",
      "3V": "5",
      "4X": "3",
      "4S": "6",
      "5P": "4",
      "5V": "6",
      "6E": "7",
    };
    let state: string | undefined = "0";
    for (const symbol of text) state = next[`${state}${symbol}`];
    return state === "7";
  };
  const strings = draw(2000, embeddedReber);

  test("are legal, with the same symbol at both ends, and the shortest have 9 symbols", () => {
    for (const { text } of strings) {
      const inner = INNER.exec(text)?.[2];
      expect(inner !== undefined && isReber(inner)).toBe(true);
    }
    expect(Math.min(...strings.map(({ text }) => text.length))).toBe(9);
  });

  test("take both branches equally often: BTBTXSETE is one string in 16, and the mean length is 12", () => {
    const share = mean(strings.map(({ text }) => Number(text === "BTBTXSETE")));
    expect(Math.abs(share - 1 / 16)).toBeLessThan(0.022); // four standard deviations
    expect(Math.abs(mean(strings.map(({ text }) => text.length)) - 12)).toBeLessThan(0.4);
  });

  test("list what may come next, of which what comes is one", () => {
    const one = strings.find(({ text }) => text === "BPBPVVEPE");
    expect(one?.legal).toEqual(["TP", "B", "TP", "TV", "PV", "E", "P", "E"]);
    for (const { text, legal } of strings)
      expect(legal.every((symbols, k) => symbols.includes(text[k + 1]!))).toBe(true);
    expect(nextSymbols({ text: "BTE", legal: [] })).toEqual({
      inputs: Int32Array.of(0, 1),
      targets: Int32Array.of(1, 6),
    });
  });

  test("test strings are none of the training strings", () => {
    const random = randomSource(3, 0);
    const training = reberStrings(random, 100);
    const test = reberStrings(random, 100, training);
    expect([training.length, test.length]).toEqual([100, 100]);
    expect(test.filter(({ text }) => training.some((one) => one.text === text))).toEqual([]);
  });

  test("are predicted legally if all legal symbols are above all others at every step", () => {
    const string = { text: "", legal: ["TP", "E"] };
    const outputs = [0.1, 0.4, 0.3, 0.2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.1];
    expect(REBER_SYMBOLS.indexOf("P")).toBe(2);
    expect(predictsLegally(outputs, string)).toBe(true);
    expect(predictsLegally(outputs.with(2, 0.2), string)).toBe(false);
    expect(predictsLegally(outputs.with(7, 0.1), string)).toBe(false);
  });
});

describe("long lags", () => {
  test("2a: one of two sequences, as often one as the other; the last symbol repeats the first", () => {
    const sequences = draw(400, (random) => fixedMiddle(random, 5));
    const x = { inputs: Int32Array.of(4, 0, 1, 2, 3), targets: Int32Array.of(0, 1, 2, 3, 4) };
    const y = { inputs: Int32Array.of(5, 0, 1, 2, 3), targets: Int32Array.of(0, 1, 2, 3, 5) };
    for (const sequence of sequences) expect([x, y]).toContainEqual(sequence);
    expect(Math.abs(sequences.filter(({ inputs }) => inputs[0] === 4).length - 200)).toBeLessThan(40);
  });

  test("2b: 100 steps, all other symbols equally likely in between", () => {
    const sequences = draw(500, (random) => randomMiddle(random, 100));
    for (const { inputs, targets } of sequences) {
      expect([inputs.length, targets.length, targets[99]]).toEqual([100, 100, inputs[0]]);
      expect([...inputs.slice(1)]).toEqual([...targets.slice(0, -1)]);
      expect([99, 100]).toContain(inputs[0]);
    }
    const counts = counted(sequences.flatMap(({ inputs }) => [...inputs.slice(1)]));
    expect(counts.length).toBe(99);
    expect(Math.min(...counts)).toBeGreaterThan(400);
    expect(Math.max(...counts)).toBeLessThan(600);
  });

  test("2c: b, x or y, q distractors and nine more on the average, e; then what came second", () => {
    const sequences = draw(3000, (random) => triggered(random, 50, 20));
    for (const { inputs, targets } of sequences) {
      expect([inputs[0], inputs[1]! - 22, inputs.at(-1)]).toEqual([21, targets[0], 20]);
      expect(Math.max(...inputs.slice(2, -1))).toBeLessThan(20);
    }
    const extra = sequences.map(({ inputs }) => inputs.length - 53);
    expect(Math.min(...extra)).toBe(0);
    expect(Math.abs(mean(extra) - 9)).toBeLessThan(0.7); // standard deviation √90
    expect(Math.abs(mean(sequences.map(({ targets }) => targets[0]!)) - 0.5)).toBeLessThan(0.04);
  });
});

describe("numbers", () => {
  test("3a: N times 1 or -1, then normal noise of variance .2; 100 to 110 steps", () => {
    const sequences = draw(2000, (random) => twoClasses(random, { minimumLength: 100, informative: 3 }));
    for (const { inputs, targets } of sequences) {
      expect([...inputs.slice(0, 3)]).toEqual(new Array(3).fill(2 * targets[0]! - 1));
    }
    expect(Object.keys(counted(sequences.map(({ inputs }) => inputs.length))).map(Number)).toEqual(
      Array.from({ length: 11 }, (_, k) => 100 + k),
    );
    const noise = sequences.flatMap(({ inputs }) => [...inputs.slice(3)]);
    expect(Math.abs(mean(noise))).toBeLessThan(0.005);
    expect(Math.abs(mean(noise.map((value) => value ** 2)) - 0.2)).toBeLessThan(0.003);
  });

  test("3b has noise on what tells the class, 3c targets .2 and .8 with noise of variance .1", () => {
    const told = draw(4000, (random) => twoClasses(random, { minimumLength: 10, informative: 1, inputNoise: 0.2 }));
    const off = told.map(({ inputs, targets }) => inputs[0]! - (2 * targets[0]! - 1));
    expect(Math.abs(mean(off.map((value) => value ** 2)) - 0.2)).toBeLessThan(0.02);
    const options = { minimumLength: 10, informative: 1, targets: [0.2, 0.8], targetNoise: 0.1 } as const;
    const wanted = draw(4000, (random) => twoClasses(random, options));
    const noise = wanted.map(({ inputs, targets }) => targets[0]! - (inputs[0] === 1 ? 0.8 : 0.2));
    expect(Math.abs(mean(noise))).toBeLessThan(0.02);
    expect(Math.abs(mean(noise.map((value) => value ** 2)) - 0.1)).toBeLessThan(0.01);
  });

  const marks = ({ inputs }: Sequence) => Array.from({ length: inputs.length / 2 }, (_, t) => inputs[2 * t + 1]!);
  test.each([
    ["4", addingPairs, (a: number, b: number) => 0.5 + (a + b) / 4, -1, 0],
    ["5", multiplyingPairs, (a: number, b: number) => a * b, 0, 1],
    ["delayed xor", delayedXor, (a: number, b: number) => Number(a !== b), 0, 0],
  ] as const)(
    "%s: two marks, in the first ten and the first half, and the answer to their numbers",
    (_, make, answer, least, neutral) => {
      const sequences = draw(2000, (random) => make(random, 40));
      const seconds: number[] = [];
      for (const sequence of sequences) {
        const all = marks(sequence);
        const [one, two, ...more] = [...all.keys()].filter((t) => all[t] === 1) as [number, number];
        const value = (t: number) => sequence.inputs[2 * t]!;
        expect([more.length, one < 10, two < 20]).toEqual([0, true, true]);
        expect(sequence.targets[0]).toBeCloseTo(answer(value(one), value(two)), 6);
        if (one === 0) expect(value(0)).toBe(neutral);
        expect([all[0], all.at(-1)]).toEqual([one === 0 ? 1 : -1, -1]);
        expect(all.slice(1, -1).filter((mark) => mark !== 0 && mark !== 1)).toEqual([]);
        seconds.push(two);
      }
      const numbers = sequences.flatMap(({ inputs }) => [...inputs.filter((_, k) => k % 2 === 0)]);
      expect(numbers.every((value) => value >= least && value <= 1)).toBe(true);
      expect(Math.abs(mean(numbers) - (least + 1) / 2)).toBeLessThan(0.02);
      expect(new Set(sequences.map(({ inputs }) => inputs.length / 2))).toEqual(new Set([40, 41, 42, 43, 44]));
      const counts = counted(seconds);
      for (let t = 10; t < 20; t++) expect(Math.abs(counts[t]! - 2000 / 19)).toBeLessThan(42); // four standard deviations
    },
  );
});

describe("temporal order", () => {
  test.each([
    ["6a", TWO_PLACES],
    ["6b", THREE_PLACES],
  ])("%s: E, noise, B, and at its places X and Y, whose order is the class", (_, places) => {
    const sequences = draw(2000, (random) => temporalOrder(random, places));
    for (const { inputs, targets } of sequences) {
      const text = Array.from(inputs, (symbol) => ORDER_SYMBOLS[symbol]).join("");
      expect(text).toMatch(/^E[a-dXY]{98,108}B$/);
      const found = [...text.matchAll(/[XY]/g)];
      expect(found.length).toBe(places.length);
      found.forEach(({ index }, k) => {
        expect(index).toBeGreaterThanOrEqual(places[k]![0]);
        expect(index).toBeLessThanOrEqual(places[k]![1]);
      });
      expect(targets[0]).toBe(Number.parseInt(found.map(([symbol]) => Number(symbol === "Y")).join(""), 2));
    }
    const counts = counted(sequences.map(({ targets }) => targets[0]!));
    expect(counts.length).toBe(2 ** places.length);
    for (const count of counts) expect(Math.abs(count - 2000 / counts.length)).toBeLessThan(80);
    expect(Math.min(...sequences.map(({ inputs }) => inputs.length))).toBe(100);
    expect(Math.max(...sequences.map(({ inputs }) => inputs.length))).toBe(110);
  });
});

describe("randomSource", () => {
  test("gives the same numbers for a seed and stream, and others for another seed or stream", () => {
    const numbers = (seed: number, stream: number) => {
      const random = randomSource(seed, stream);
      return [random.uniform(), random.uniform(), random.normal(1), random.integer(3, 1000), random.bit()];
    };
    expect(numbers(1, 2)).toEqual(numbers(1, 2));
    expect(numbers(1, 2)).not.toEqual(numbers(2, 2));
    expect(numbers(1, 2)).not.toEqual(numbers(1, 3));
  });

  test("numbers stay in their range, and all whole numbers of it come up", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: -5, max: 5 }), fc.integer({ min: 1, max: 4 }), (seed, from, width) => {
        const random = randomSource(seed, 0);
        const seen = new Set(Array.from({ length: 100 }, () => random.integer(from, from + width)));
        expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: width }, (_, k) => from + k));
        const unit = random.uniform();
        expect(unit >= 0 && unit < 1).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
