/** The words of elementwise instructions on few elements; what they compute is tested with the kernels. */

import { expect, test } from "vitest";
import { instructionCode } from "./codes.js";
import { encodeFew } from "./encode-few.js";
import { codeOf, type Operand, type Step } from "./steps.js";

const at = (place: number, ...strides: number[]): Operand => ({ place, byte: 8, strides });
const END = codeOf("end");

test("memory is loaded once, however often it is read, and blocks that nobody reads any more are used again", () => {
  const product: Step = { code: codeOf("multiply"), sources: [at(3, 2, 1), at(3, 2, 1)], to: undefined };
  const sum: Step = { code: codeOf("add"), sources: [product, at(4, 0, 0)], to: at(5, 1, 2) };
  // Operands 0 to 2, blocks 3 and 4.
  expect(encodeFew([2, 2], [product, sum])).toEqual([
    ...[instructionCode("elementwiseFew"), 37, 4],
    ...[2, 3],
    ...[3, 8, 4, 8, 5, 8],
    ...[codeOf("load"), 3, 0, 4],
    ...[codeOf("multiply"), 3, 3, 3, 0],
    ...[codeOf("loadNumber"), 4, 1],
    ...[codeOf("add"), 4, 3, 4, 0],
    ...[codeOf("storeStrided"), 4, 2, 2, 2, 2, 1, 2],
    END,
  ]);
});

test("what is only moved is stored from where it is; sums are as many as there are rows", () => {
  const negative: Step = { code: codeOf("negate"), sources: [at(3, 1, 0)], to: at(4, 3, 1) };
  const moved: Step = { code: codeOf("move"), sources: [negative], to: at(5, 3, 1) };
  const total: Step = { code: codeOf("sum"), sources: [negative], to: at(6, 1, 0) };
  expect(encodeFew([2, 3], [negative, moved, total]).slice(2)).toEqual([
    ...[6, 1, 4],
    ...[3, 8, 4, 8, 5, 8, 6, 8],
    ...[codeOf("loadStrided"), 4, 0, 2, 2, 3, 1, 0],
    ...[codeOf("negate"), 4, 4, 0, 0],
    ...[codeOf("store"), 4, 1, 6],
    ...[codeOf("store"), 4, 2, 6],
    ...[codeOf("sum"), 4, 4, 3],
    ...[codeOf("store"), 4, 3, 2],
    END,
  ]);
});

test("elements that are neighbours and fill whole vectors are read and written where they are", () => {
  const product: Step = { code: codeOf("multiply"), sources: [at(3, 8, 1), at(4, 1, 2)], to: undefined };
  const sum: Step = { code: codeOf("add"), sources: [product, at(3, 8, 1)], to: at(5, 8, 1) };
  const copy: Step = { code: codeOf("move"), sources: [sum], to: at(6, 8, 1) };
  expect(encodeFew([2, 8], [product, sum, copy]).slice(2)).toEqual([
    ...[16, 1, 4],
    ...[3, 8, 4, 8, 5, 8, 6, 8],
    ...[codeOf("loadStrided"), 4, 1, 2, 2, 8, 1, 2],
    ...[codeOf("multiply"), 4, 0, 4, 0],
    ...[codeOf("add"), 2, 4, 0, 0],
    ...[codeOf("store"), 2, 3, 16],
    END,
  ]);
});
