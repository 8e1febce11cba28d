import { describe, expect, test } from "vitest";
import { f64 } from "../../test/close.js";
import { OptionError } from "../core/index.js";
import { compile } from "../runtime/index.js";
import { type Tensor, toNumber } from "../tensor/index.js";
import { cosineDecay, exponentialDecay, linearDecay, type Schedule, sgd, warmup } from "./index.js";

/** The same rates in plain numbers, beside their schedules. */
const FORMULAS: Record<string, [schedule: Schedule, formula: (update: number) => number]> = {
  "exponential decay": [
    exponentialDecay({ initial: 0.2, decay: 0.5, interval: 4 }),
    (update) => 0.2 * 0.5 ** (update / 4),
  ],
  "exponential decay in a staircase": [
    exponentialDecay({ initial: 0.2, decay: 0.5, interval: 4, staircase: true }),
    (update) => 0.2 * 0.5 ** Math.floor(update / 4),
  ],
  "cosine decay": [
    cosineDecay({ initial: 0.3, updates: 10, final: 0.1 }),
    (update) => 0.1 + (0.2 * (1 + Math.cos(Math.PI * Math.min(update / 10, 1)))) / 2,
  ],
  "cosine decay to 0": [
    cosineDecay({ initial: 0.3, updates: 10 }),
    (update) => (0.3 * (1 + Math.cos(Math.PI * Math.min(update / 10, 1)))) / 2,
  ],
  "linear decay": [
    linearDecay({ initial: 0.3, updates: 10, final: 0.1 }),
    (update) => 0.3 - 0.2 * Math.min(update / 10, 1),
  ],
  "linear growth": [
    linearDecay({ initial: 0.1, updates: 4, final: 0.5 }),
    (update) => 0.1 + 0.4 * Math.min(update / 4, 1),
  ],
  "warm-up to a constant": [warmup(5, 0.4), (update) => 0.4 * Math.min((update + 1) / 5, 1)],
  "warm-up into a decay": [
    warmup(3, exponentialDecay({ initial: 1, decay: 0.9, interval: 1 })),
    (update) => Math.min((update + 1) / 3, 1) * 0.9 ** update,
  ],
};

describe("schedules", () => {
  test.each(Object.keys(FORMULAS))("%s follows its formula, compiled as eager, past its end", (name) => {
    const [schedule, formula] = FORMULAS[name]!;
    const compiled = compile(schedule);
    for (let update = 0; update <= 14; update++) {
      const at = f64([update], []);
      expect(toNumber(schedule(at))).toBeCloseTo(formula(update), 13);
      expect(toNumber(compiled(at))).toBe(toNumber(schedule(at)));
    }
  });

  test("one compiled update follows the schedule, without being traced again", () => {
    const optimizer = sgd({ learningRate: warmup(4, linearDecay({ initial: 1, updates: 8 })) });
    let traces = 0;
    const update = compile((params: Tensor, state: ReturnType<typeof optimizer.init>) => {
      traces += 1;
      return { ...optimizer.update(params, f64([1]), state) };
    });
    let now = { params: f64([0]), state: optimizer.init(f64([0])) };
    let expected = 0;
    for (let step = 0; step < 10; step++) {
      now = update(now.params, now.state);
      expected -= Math.min((step + 1) / 4, 1) * (1 - Math.min(step / 8, 1));
      expect(now.params.data[0]).toBeCloseTo(expected, 13);
    }
    expect(traces).toBe(1);
  });

  test("refuse what makes no sense", () => {
    const wrong: [() => Schedule, string][] = [
      [() => exponentialDecay({ initial: 0, decay: 0.5, interval: 1 }), "exponentialDecay: initial must be"],
      [() => exponentialDecay({ initial: 1, decay: 1.1, interval: 1 }), "exponentialDecay: decay must be"],
      [() => exponentialDecay({ initial: 1, decay: 0.5, interval: 0.5 }), "exponentialDecay: interval must be a whole"],
      [() => cosineDecay({ initial: 1, updates: 0 }), "cosineDecay: updates must be a whole number of at least 1"],
      [() => cosineDecay({ initial: 1, updates: 1, final: -1 }), "cosineDecay: final must be a number at least 0"],
      [() => linearDecay({ initial: -1, updates: 1 }), "linearDecay: initial must be a number greater than 0"],
      [() => warmup(0, 0.1), "warmup: updates must be a whole number of at least 1, but is 0"],
    ];
    for (const [make, sentence] of wrong) {
      expect(make).toThrow(OptionError);
      expect(make).toThrow(sentence);
    }
  });
});
