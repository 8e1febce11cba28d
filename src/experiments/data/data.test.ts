import { describe, expect, test } from "vitest";
import { randomKey } from "../../ops/index.js";
import { type Tensor, toNested } from "../../tensor/index.js";
import { adding } from "./adding.js";
import { COPY_CLASSES, COPY_INPUTS, copyMemory } from "./copy-memory.js";
import { firstSymbol } from "./first-symbol.js";
import { CITY_PLACE, FLIGHT_SLOTS, FLIGHT_WORDS, flights } from "./flights.js";
import { latch } from "./latch.js";
import { LETTERS, letterFeatures, syllables } from "./letters.js";
import { ORDER_CLASSES, ORDER_SYMBOLS, temporalOrder } from "./temporal-order.js";
import { temporalXor } from "./temporal-xor.js";
import { dates, reversals } from "./text-pairs.js";
import { wholeNumbers } from "./whole-numbers.js";

const matrix = (tensor: Tensor) => toNested(tensor) as number[][];

test("temporalXor: every third bit is the exclusive or of the two before, and all four pairs come up", () => {
  const { data, shape } = temporalXor(randomKey(1), 400);
  expect(shape).toEqual([1200]);
  const pairs = [0, 0, 0, 0];
  for (let k = 0; k < 1200; k += 3) {
    expect(data[k + 2]).toBe(data[k]! ^ data[k + 1]!);
    pairs[2 * data[k]! + data[k + 1]!]! += 1;
  }
  for (const count of pairs) expect(Math.abs(count - 100)).toBeLessThan(35); // four standard deviations
});

describe("letters", () => {
  test("each consonant is followed by its vowels, and all three come up as often", () => {
    const text = syllables(randomKey(2), 900);
    expect(text).toMatch(/^(ba|dii|guuu)+$/);
    for (const consonant of "bdg") expect(Math.abs(text.split(consonant).length - 1 - 300)).toBeLessThan(57);
  });

  test("features are those of the table: what differs among consonants is just high and back", () => {
    expect(matrix(letterFeatures("bg"))).toEqual([
      [1, 0, 1, 0, 0, 1],
      [1, 0, 1, 0, 1, 1],
    ]);
    const rows = ["b", "d", "g"].map((letter) => LETTERS[letter] as number[]);
    const differing = [0, 1, 2, 3, 4, 5].filter((k) => new Set(rows.map((row) => row[k])).size > 1);
    expect(differing).toEqual([3, 4]);
  });
});

test("adding: one mark in each half, and the target is the sum of the two marked values", () => {
  const { xs, targets } = adding(randomKey(3), 20, 50);
  expect([xs.shape, targets.shape]).toEqual([
    [20, 50, 2],
    [50, 1],
  ]);
  const steps = toNested(xs) as number[][][];
  const places = new Set<number>();
  for (let row = 0; row < 50; row++) {
    const marked = steps.flatMap((step, t) => (step[row]![1] === 1 ? [t] : []));
    expect(steps.every((step) => [0, 1].includes(step[row]![1]!))).toBe(true);
    expect(marked.length).toBe(2);
    expect(marked[0]).toBeLessThan(10);
    expect(marked[1]).toBeGreaterThanOrEqual(10);
    for (const t of marked) places.add(t);
    const sum = marked.reduce((total, t) => total + steps[t]![row]![0]!, 0);
    expect(targets.data[row]).toBeCloseTo(sum, 6);
  }
  expect(places.size).toBe(20);
});

test("latch: the first three inputs are the class, the others noise of deviation .2", () => {
  const { xs, classes } = latch(randomKey(4), 53, 40);
  const steps = matrix(xs).map((step) => step.flat());
  const noise = steps.slice(3).flat();
  for (const step of steps.slice(0, 3)) expect(step).toEqual(Array.from(classes.data, (one) => 2 * one - 1));
  expect(new Set(classes.data).size).toBe(2);
  const variance = noise.reduce((sum, value) => sum + value ** 2, 0) / noise.length;
  expect(Math.abs(Math.sqrt(variance) - 0.2)).toBeLessThan(0.013); // four standard errors
});

test.each([true, false])("firstSymbol: the symbol is shown first and asked for last (repeated: %s)", (repeated) => {
  const { xs, targets } = firstSymbol(randomKey(5), 4, 6, repeated);
  const shown = (toNested(xs) as number[][][]).map((step) => step.map((row) => row.indexOf(1)));
  const [first, ...rest] = shown as [number[], ...number[][]];
  expect(rest).toEqual([Array(6).fill(2), Array(6).fill(2), Array(6).fill(3)]);
  const silent = Array(6).fill(2);
  expect(matrix(targets)).toEqual(repeated ? [first, first, first, first] : [silent, silent, silent, first]);
  expect(new Set(first)).toEqual(new Set([0, 1]));
});

/** The symbols of one-hot `[time, batch, symbols]`, a row for each sequence. */
function symbolsOf(xs: Tensor): number[][] {
  const steps = toNested(xs) as number[][][];
  for (const row of steps.flat()) expect([...row].sort()).toEqual([...Array(row.length - 1).fill(0), 1]);
  return (steps[0] as number[][]).map((_, row) => steps.map((step) => step[row]!.indexOf(1)));
}

test("wholeNumbers: all numbers below the count, equally often", () => {
  const { data, dtype } = wholeNumbers(randomKey(10), 5, [100, 10]);
  expect(dtype).toBe("int32");
  const counts = [0, 0, 0, 0, 0];
  for (const number of data) counts[number]! += 1;
  for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(51); // four standard deviations
  expect(counts.length).toBe(5);
});

test("temporalOrder: two of A and B in their tenths, and the class at the last step says which", () => {
  const { xs, targets, mask } = temporalOrder(randomKey(11), 30, 200);
  expect([xs.shape, targets.shape, mask.shape]).toEqual([
    [30, 200, 6],
    [30, 200],
    [30, 200],
  ]);
  expect(matrix(mask)).toEqual([...Array(29).fill(Array(200).fill(0)), Array(200).fill(1)]);
  const [places, classes] = [new Set<string>(), new Set<string>()];
  symbolsOf(xs).forEach((symbols, row) => {
    const text = symbols.map((symbol) => ORDER_SYMBOLS[symbol]).join("");
    const [, before, first, between, second] = /^([a-d]+)([AB])([a-d]+)([AB])[a-d]+$/.exec(text) as string[];
    places.add(`${before!.length}, ${before!.length + 1 + between!.length}`);
    classes.add(`${first}${second}`);
    expect(ORDER_CLASSES[targets.data[29 * 200 + row]!]).toBe(`${first}${second}`);
  });
  const expected = [3, 4, 5].flatMap((first) => [12, 13, 14].map((second) => `${first}, ${second}`));
  expect(places).toEqual(new Set(expected));
  expect(classes).toEqual(new Set(ORDER_CLASSES));
});

test("copyMemory: ten symbols, blanks, a delimiter, and the symbols once more as the last targets", () => {
  const { xs, targets, mask } = copyMemory(randomKey(12), 7, 30);
  expect([xs.shape, targets.shape, mask.shape]).toEqual([
    [27, 30, COPY_INPUTS],
    [27, 30],
    [27, 30],
  ]);
  expect(mask.data.every((one) => one === 1)).toBe(true);
  const seen = new Set<number>();
  symbolsOf(xs).forEach((inputs, row) => {
    const symbols = inputs.slice(0, 10);
    for (const symbol of symbols) seen.add(symbol);
    expect(inputs.slice(10)).toEqual([...Array(6).fill(8), 9, ...Array(10).fill(8)]);
    expect(matrix(targets).map((step) => step[row])).toEqual([...Array(17).fill(8), ...symbols]);
  });
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(COPY_CLASSES).toBe(9);
});

test.each([
  ["temporalOrder", (seed: number) => temporalOrder(randomKey(seed), 20, 3)],
  ["copyMemory", (seed: number) => copyMemory(randomKey(seed), 5, 3)],
])("%s: the same key gives the same sequences, another key others", (_, draw) => {
  expect(draw(1)).toEqual(draw(1));
  expect(draw(2)).not.toEqual(draw(1));
});

describe("flights", () => {
  const { training, test: kept } = flights();
  const sentences = ({ words }: typeof training) => {
    const steps = matrix(words);
    return steps[0]!.map((_, row) => steps.map((step) => FLIGHT_WORDS[step[row]!]).join(" "));
  };

  test("a city is the destination after arrive and the departure after leave, each as often", () => {
    for (const part of [training, kept]) {
      const slots = matrix(part.slots);
      const seen = new Map<string, string[]>();
      sentences(part).forEach((sentence, row) => {
        const [verb, city] = sentence.split(" ") as [string, string];
        const slot = FLIGHT_SLOTS[slots[CITY_PLACE]![row]!] as string;
        expect(slot).toBe(verb === "arrive" ? "destination" : "departure");
        seen.set(city, [...(seen.get(city) ?? []), slot]);
      });
      for (const slotsOfCity of seen.values()) {
        expect(slotsOfCity.filter((slot) => slot === "departure").length).toBe(slotsOfCity.length / 2);
      }
    }
    expect(matrix(training.slots).map((step) => FLIGHT_SLOTS[step[0]!])).toEqual([
      "other",
      "destination",
      "other",
      "time",
    ]);
  });

  test("no sentence is in both parts", () => {
    const all = [...sentences(training), ...sentences(kept)];
    expect(new Set(all).size).toBe(all.length);
    expect([sentences(training).length, sentences(kept).length]).toEqual([36, 12]);
  });
});

describe("text pairs", () => {
  test("a reversal reads backwards, and all lengths from 5 to 10 come up", () => {
    const pairs = reversals(randomKey(6), 200);
    for (const { source, target } of pairs) {
      expect(source).toMatch(/^[a-z]{5,10}$/);
      expect([...target].reverse().join("")).toBe(source);
    }
    expect(new Set(pairs.map(({ source }) => source.length)).size).toBe(6);
  });

  test("a date means the day that its figures say, in five styles", () => {
    const pairs = dates(randomKey(7), 300, false);
    const styles = [
      /^\d+ [A-Z]/,
      /^[A-Z][a-z]+ \d+, \d+$/,
      /^[A-Z][a-z]{2} \d+ \d+$/,
      /^\d+\./,
      /^[A-Z][a-z]+day, \d+ [A-Z]/,
    ];
    for (const { source, target } of pairs) {
      const numeric = /^(\d+)\.(\d+)\.(\d+)$/.exec(source);
      const iso = numeric ? `${numeric[3]}-${numeric[2]!.padStart(2, "0")}-${numeric[1]!.padStart(2, "0")}` : undefined;
      expect(iso ?? new Date(`${source} UTC`).toISOString().slice(0, 10)).toBe(target);
    }
    for (const style of styles)
      expect(
        pairs.some(({ source }) => style.test(source)),
        String(style),
      ).toBe(true);
    expect(pairs.every(({ source }) => styles.some((style) => style.test(source)))).toBe(true);
  });

  test("days for testing are never learnt", () => {
    const learnt = new Set(dates(randomKey(8), 3000, false).map(({ target }) => target));
    for (const { target } of dates(randomKey(9), 300, true)) expect(learnt.has(target)).toBe(false);
  });
});
