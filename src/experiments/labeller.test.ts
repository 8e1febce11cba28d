import { expect, test } from "vitest";
import { averageLoss, crossEntropy, elman, recurrent } from "../nn/index.js";
import { at, ones, randomKey, slice } from "../ops/index.js";
import { mapTensors, toNumber } from "../tensor/index.js";
import { temporalOrder } from "./data/temporal-order.js";
import { labeller } from "./labeller.js";

const net = labeller(recurrent(elman({ inputSize: 6, hiddenSize: 5 })), 4);
const params = net.init(randomKey(1));
const sequences = temporalOrder(randomKey(2), 10, 3);
const everyStep = { ...sequences, mask: ones([10, 3], "int32") };
const { initialCarry, loss } = net.problem;

test("labeller: the loss is the cross-entropy of the last outputs where only the last class is asked for", () => {
  const { loss: whole } = loss(params, initialCarry(sequences), sequences);
  const last = crossEntropy(net.last(params, sequences.xs), at(sequences.targets, 9));
  expect(toNumber(averageLoss(whole))).toBeCloseTo(toNumber(averageLoss(last)), 6);
  expect(toNumber(whole.count)).toBe(3);
});

test("labeller: the steps one by one, with the carry handed on, add up to the same loss", () => {
  const whole = loss(params, initialCarry(sequences), everyStep);
  let [carry, total] = [initialCarry(sequences), 0];
  for (let t = 0; t < 10; t++) {
    const step = mapTensors((all) => slice(all, 0, t, t + 1), everyStep);
    const result = loss(params, carry, step);
    carry = result.carry;
    total += toNumber(result.loss.total);
  }
  expect(total).toBeCloseTo(toNumber(whole.loss.total), 4);
  expect(carry.h.data).toEqual(whole.carry.h.data);
});
