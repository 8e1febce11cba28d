import { expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import type { Program } from "../program/index.js";
import { type ScanParams, scan } from "../scan/index.js";
import type { Tensor } from "../tensor/index.js";
import { sinkIntoLoops } from "./sink.js";

const namesOf = ({ equations }: Program): string[] => equations.map(({ primitive }) => primitive.name);

const bodyOf = (program: Program): Program =>
  (program.equations.find(({ primitive }) => primitive.name === "scan")!.params as ScanParams).body;

/** h' = f(h, constant), where the constant is made outside of the loop. */
const loop = (make: (row: Tensor) => Tensor) => (row: Tensor, xs: Tensor) => {
  const constant = make(row);
  return [scan((h: Tensor, x: Tensor) => [ops.add(ops.multiply(h, constant), x), []], ops.zeros([2, 4]), xs)[0]];
};

const sunk = (make: (row: Tensor) => Tensor) => {
  const program = programOf(loop(make) as never, float32(4), float32(3, 2, 4));
  const result = sinkIntoLoops(program);
  expectSameResults(result, program);
  return result;
};

test("a row that is repeated outside of a loop is repeated inside, through changes of shape too", () => {
  const program = sunk((row) => ops.reshape(ops.broadcastTo(ops.reshape(row, [1, 4]), [2, 4]), [2, 4]));
  expect(namesOf(program)).toEqual(["fill", "scan"]);
  expect(namesOf(bodyOf(program))).toContain("broadcast");
});

test("a fill is made inside", () => {
  const program = sunk(() => ops.fill([2, 4], 3));
  expect(namesOf(program)).toEqual(["fill", "scan"]);
  expect(namesOf(bodyOf(program))).toContain("fill");
});

test("what is computed stays outside: only its repetition is inside", () => {
  const program = sunk((row) => ops.broadcastTo(ops.tanh(row), [2, 4]));
  expect(namesOf(program)).toEqual(["tanh", "fill", "scan"]);
  expect(namesOf(bodyOf(program))).toContain("broadcast");
});

test("a change of shape alone stays outside", () => {
  const f = (row: Tensor, xs: Tensor) => {
    const constant = ops.reshape(row, [2, 2]);
    return [scan((h: Tensor, x: Tensor) => [ops.add(ops.multiply(h, constant), x), []], ops.zeros([2, 2]), xs)[0]];
  };
  const program = programOf(f as never, float32(4), float32(3, 2, 2));
  expect(namesOf(sinkIntoLoops(program))).toContain("reshape");
  expect(namesOf(bodyOf(sinkIntoLoops(program)))).not.toContain("reshape");
});

test("it goes through loops inside loops", () => {
  const f = (row: Tensor, xs: Tensor) => {
    const constant = ops.broadcastTo(row, [2, 4]);
    const inner = (h: Tensor) =>
      scan((g: Tensor) => [ops.multiply(g, constant), []], h, [], { length: 2 })[0] as Tensor;
    return [scan((h: Tensor, x: Tensor) => [ops.add(inner(h), x), []], ops.zeros([2, 4]), xs)[0]];
  };
  const program = programOf(f as never, float32(4), float32(3, 2, 4));
  const result = sinkIntoLoops(program);
  expectSameResults(result, program);
  expect(namesOf(result)).not.toContain("broadcast");
  expect(namesOf(bodyOf(result))).not.toContain("broadcast");
  expect(namesOf(bodyOf(bodyOf(result)))).toContain("broadcast");
});
