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
  expect(encodeFew([2, 2], [product, sum])).toEqual([
    ...[instructionCode("elementwiseFew"), 33, 4, 2],
    ...[codeOf("load"), 0, 3, 8, 4],
    ...[codeOf("multiply"), 0, 0, 0, 0],
    ...[codeOf("loadNumber"), 1, 4, 8],
    ...[codeOf("add"), 1, 0, 1, 0],
    ...[codeOf("storeStrided"), 1, 5, 8, 2, 2, 2, 1, 2],
    END,
  ]);
});

test("a value that is only moved is stored from where it is; sums are as many as there are rows", () => {
  const moved: Step = { code: codeOf("move"), sources: [at(3, 1, 0)], to: at(5, 3, 1) };
  const total: Step = { code: codeOf("sum"), sources: [moved], to: at(6, 1, 0) };
  expect(encodeFew([2, 3], [moved, total]).slice(2)).toEqual([
    ...[6, 1],
    ...[codeOf("loadStrided"), 0, 3, 8, 2, 2, 3, 1, 0],
    ...[codeOf("store"), 0, 5, 8, 6],
    ...[codeOf("sum"), 0, 0, 3],
    ...[codeOf("store"), 0, 6, 8, 2],
    END,
  ]);
});
