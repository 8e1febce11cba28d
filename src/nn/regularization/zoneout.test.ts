/** Zoneout: against its equation, with the same masks, and its expectation. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, largestError, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError } from "../../core/index.js";
import { add, at, multiply, ones, randomKey, select, slice, splitKey, stack, zeros } from "../../ops/index.js";
import { mapTensors, type Tensor } from "../../tensor/index.js";
import { checkGradients } from "../../transforms/index.js";
import { type Cell, gru, type LSTMState, lstm, recurrent } from "../index.js";
import { drawZoneout } from "./zoneout.js";

const KEY = randomKey(5);
const cell = lstm({ inputSize: 3, hiddenSize: 4 });
const params = cell.init(randomKey(1), "float64");
const xs = numbers(1, [6, 2, 3]);
const start: LSTMState = { h: numbers(2, [2, 4]), c: numbers(3, [2, 4]) };
const rates = { h: 0.3, c: 0.5 };
const layer = recurrent(cell, { zoneout: rates });

/** The loop written out: `mix(name, old, proposed, t)` for each part of the carry, and y = h'. */
function byHand(mix: (name: keyof LSTMState, old: Tensor, proposed: Tensor, t: number) => Tensor) {
  let carry = start;
  const outputs: Tensor[] = [];
  for (let t = 0; t < 6; t++) {
    const [next] = cell.step(params, carry, at(xs, t));
    carry = { h: mix("h", carry.h, next.h, t), c: mix("c", carry.c, next.c, t) };
    outputs.push(carry.h);
  }
  return { outputs: stack(outputs), carry };
}

describe("zoneout", () => {
  test("keeps the old value where its mask is 1, with a key", () => {
    const masks = drawZoneout(rates, splitKey(KEY, 3)[2]!, start, 6);
    const expected = byHand((name, old, proposed, t) => select(at(masks[name]!, t), old, proposed));
    expectClose(layer.apply(params, xs, { carry: start, key: KEY }), expected, TOLERANCES.float64);
    expect(largestError(at(masks.h!, 0), at(masks.h!, 1)).error).toBeGreaterThan(0);
  });

  test("mixes old and new by the rate without a key", () => {
    const expected = byHand((name, old, proposed) =>
      add(multiply(old, rates[name]), multiply(proposed, 1 - rates[name])),
    );
    expectClose(layer.apply(params, xs, { carry: start }), expected, TOLERANCES.float64);
    const plain = recurrent(cell).apply(params, xs, { carry: start });
    expect(largestError(plain.outputs, expected.outputs).error).toBeGreaterThan(1e-2);
  });

  test("has that mixture for its mean over masks, after one step", () => {
    const counting: Cell<Record<string, Tensor>, Tensor> = {
      inputSize: 100,
      outputSize: 100,
      init: () => ({}),
      initialCarry: (batchSize, dtype) => zeros([batchSize, 100], dtype),
      step: (_, h, x) => [add(h, x), add(h, x)],
    };
    const once = recurrent(counting, { zoneout: 0.3 });
    const x = ones([1, 100, 100], "float64");
    const sampled = once.apply({}, x, { key: KEY }).carry;
    const share = Array.from(sampled.data).reduce((total, value) => total + value, 0) / 10000;
    expect(once.apply({}, x).carry.data[0]).toBe(0.7);
    // 10000 draws: three standard errors.
    expect(Math.abs(share - 0.7)).toBeLessThan(3 * Math.sqrt(0.21 / 10000));
  });

  test("of 0 is nothing, of 1 keeps the carry for ever", () => {
    const plain = recurrent(cell).apply(params, xs, { carry: start });
    expectSame(recurrent(cell, { zoneout: 0 }).apply(params, xs, { carry: start, key: KEY }), plain);
    for (const options of [{}, { key: KEY }]) {
      expectSame(recurrent(cell, { zoneout: 1 }).apply(params, xs, { carry: start, ...options }).carry, start);
    }
  });

  test("leaves an output alone that is no part of the carry", () => {
    const shown: Cell<typeof params, LSTMState> = {
      ...cell,
      step: (p, carry, x) => {
        const [next, y] = cell.step(p, carry, x);
        return [next, multiply(y, 2)];
      },
    };
    const result = recurrent(shown, { zoneout: 1 }).apply(params, xs, { carry: start });
    expectSame(at(result.outputs, 0), multiply(cell.step(params, start, at(xs, 0))[1], 2));
  });

  test("acts on the parts of the carry that are named", () => {
    const onlyC = recurrent(cell, { zoneout: { c: 0.5 } }).apply(params, xs, { carry: start, return: "states" });
    const [next] = cell.step(params, start, at(xs, 0));
    expectSame(at(onlyC.states.h, 0), next.h);
    expect(largestError(at(onlyC.states.c, 0), next.c).error).toBeGreaterThan(1e-3);
    expect(() => recurrent(cell, { zoneout: { s: 0.5 } })).toThrow(
      'recurrent: zoneout: the cell has no "s"; there are c, h',
    );
    expect(() => recurrent(cell, { zoneout: 1.5 })).toThrow(OptionError);
    expect(() => recurrent(cell, { zoneout: { h: -1 } })).toThrow(
      "recurrent: zoneout.h must be a number at least 0 and at most 1, but is -1",
    );
  });

  test("of a ragged batch equals that of its sequences, without a key", () => {
    const { outputs, carry } = layer.apply(params, xs, { sequenceLengths: int32([2, 6]) });
    const alone = layer.apply(params, slice(slice(xs, 1, 0, 1), 0, 0, 2));
    expectClose(slice(slice(outputs, 1, 0, 1), 0, 0, 2), alone.outputs, TOLERANCES.float64);
    expectClose(
      mapTensors((part) => slice(part, 0, 0, 1), carry),
      alone.carry,
      TOLERANCES.float64,
    );
  });

  test("has gradients that agree with differences, with and without a key, beside dropout", () => {
    const small = recurrent(gru({ inputSize: 2, hiddenSize: 2 }), {
      zoneout: 0.4,
      dropout: { state: 0.5, output: 0.5 },
    });
    for (const options of [{}, { key: KEY }]) {
      const { maxError } = checkGradients(
        (p, x) => small.apply(p, x, options).outputs,
        [small.init(randomKey(2), "float64"), numbers(4, [3, 2, 2])],
      );
      expect(maxError).toBeLessThan(TOLERANCES.gradient);
    }
  });
});
