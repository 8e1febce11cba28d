/** Both directions: golden values, and the symmetry between them. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, int32, numbers } from "../../../test/close.js";
import { runGoldenCase } from "../../../test/golden.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { concatenate, randomKey, reverse, slice, split } from "../../ops/index.js";
import { checkGradients } from "../../transforms/index.js";
import { bidirectional, elman, gru, lstm, recurrent } from "../index.js";

runGoldenCase("bidirectionalGru", bidirectional(gru({ inputSize: 4, hiddenSize: 3 })));
runGoldenCase("bidirectionalLstmRagged", bidirectional(lstm({ inputSize: 4, hiddenSize: 3 })));

describe("bidirectional", () => {
  const layer = bidirectional(gru({ inputSize: 3, hiddenSize: 2 }));
  const params = layer.init(randomKey(1), "float64");
  const xs = numbers(1, [5, 2, 3]);
  const carry = { forward: { h: numbers(2, [2, 2]) }, backward: { h: numbers(3, [2, 2]) } };

  test("joins the outputs of a forward and a backward chain, forward half first", () => {
    const cell = gru({ inputSize: 3, hiddenSize: 2 });
    const ahead = recurrent(cell).apply(params.forward, xs, { carry: carry.forward });
    const behind = recurrent(cell, { reverse: true }).apply(params.backward, xs, { carry: carry.backward });
    const both = layer.apply(params, xs, { carry });
    expectSame(both.outputs, concatenate([ahead.outputs, behind.outputs]));
    expectSame(both.carry, { forward: ahead.carry, backward: behind.carry });
  });

  test("has twice the features (the example of its documentation)", () => {
    expect(bidirectional(gru({ inputSize: 8, hiddenSize: 32 })).outputSize).toBe(64);
  });

  test("exchanges the halves of its outputs when inputs are reversed and directions exchanged", () => {
    const there = layer.apply(params, xs, { carry });
    const exchanged = { forward: params.backward, backward: params.forward };
    const back = layer.apply(exchanged, reverse(xs), { carry: { forward: carry.backward, backward: carry.forward } });
    const [ahead, behind] = split(reverse(back.outputs), 2);
    expectSame(there.outputs, concatenate([behind!, ahead!]));
    expectSame(there.carry, { forward: back.carry.backward, backward: back.carry.forward });
  });

  test("does so for ragged sequences too, whose padding then comes first", () => {
    const mask = int32([1, 1, 1, 1, 0, 1, 0, 1, 0, 0], [5, 2]);
    const there = layer.apply(params, xs, { mask });
    const exchanged = { forward: params.backward, backward: params.forward };
    const back = layer.apply(exchanged, reverse(xs), { mask: reverse(mask) });
    const [ahead, behind] = split(reverse(back.outputs), 2);
    expectSame(there.outputs, concatenate([behind!, ahead!]));
    expectSame(there.carry, { forward: back.carry.backward, backward: back.carry.forward });
  });

  test("gives each direction weights of its own", () => {
    expect(params.forward.weightIh.data).not.toEqual(params.backward.weightIh.data);
  });

  test("starts the backward chain of a ragged sequence at its own last step", () => {
    const sequenceLengths = int32([2, 5]);
    const { outputs } = layer.apply(params, xs, { sequenceLengths });
    const alone = layer.apply(params, slice(slice(xs, 1, 0, 1), 0, 0, 2));
    expectClose(slice(slice(outputs, 1, 0, 1), 0, 0, 2), alone.outputs, TOLERANCES.float64);
  });

  test("takes cells of two sizes", () => {
    const uneven = bidirectional(elman({ inputSize: 3, hiddenSize: 2 }), elman({ inputSize: 3, hiddenSize: 5 }));
    expect(uneven.outputSize).toBe(7);
    expect(uneven.apply(uneven.init(randomKey(1)), numbers(1, [4, 2, 3], "float32")).outputs.shape).toEqual([4, 2, 7]);
  });

  test("has gradients that agree with differences, ragged and with restarts", () => {
    const options = { sequenceLengths: int32([3, 1]), resetMask: int32([0, 0, 1, 0, 0, 0], [3, 2]) };
    const run = (p: typeof params, x: typeof xs, start: typeof carry) => {
      const result = layer.apply(p, x, { ...options, carry: start });
      return [result.outputs, result.carry];
    };
    expect(checkGradients(run, [params, slice(xs, 0, 0, 3), carry]).maxError).toBeLessThan(TOLERANCES.gradient);
  });

  test("refuses cells that take inputs of two sizes", () => {
    expect(() => bidirectional(elman({ inputSize: 3, hiddenSize: 2 }), elman({ inputSize: 4, hiddenSize: 2 }))).toThrow(
      "bidirectional: the cells take 3 and 4 features; they must agree",
    );
  });
});
