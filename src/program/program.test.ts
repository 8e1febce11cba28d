/** Programs: written by tracing, printed, pruned, applied again. */

import { describe, expect, test } from "vitest";
import { expectTensor, float64, scalar } from "../../test/scalar-loops.js";
import { ToolkitError, TraceError } from "../core/index.js";
import * as ops from "../ops/index.js";
import { scan } from "../scan/index.js";
import { HostTensor, type Tensor, type TensorType, tensor } from "../tensor/index.js";
import {
  evaluateProgram,
  inline,
  isTracing,
  printProgram,
  pruneProgram,
  TracedTensor,
  trace,
  Variable,
} from "./index.js";

const vector = (length: number): TensorType => ({ dtype: "float32", shape: [length] });
const matrix = (rows: number, columns: number): TensorType => ({ dtype: "float32", shape: [rows, columns] });

describe("printProgram", () => {
  test("prints one equation a line, with parameters and types", () => {
    const { program } = trace(
      (x, w, b) => [ops.tanh(ops.add(ops.matmul(x as Tensor, w as Tensor, { transposeB: true }), b as Tensor))],
      [matrix(2, 3), matrix(4, 3), vector(4)],
    );
    expect(printProgram(program)).toMatchInlineSnapshot(`
      "(a: float32[2,3], b: float32[4,3], c: float32[4]) {
        d: float32[2,4] = matmul[transposeA=false transposeB=true] a b
        e: float32[2,4] = broadcast[axes=[1] shape=[2,4]] c
        f: float32[2,4] = add d e
        g: float32[2,4] = tanh f
        return g
      }"
    `);
  });

  test("prints several outputs, inputs handed through, and equations without inputs", () => {
    const { program } = trace((x) => [x as Tensor, ops.zeros([2]), ops.argmax(x as Tensor)], [vector(3)]);
    expect(printProgram(program)).toMatchInlineSnapshot(`
      "(a: float32[3]) {
        b: float32[2] = fill[value=0 dtype=float32 shape=[2]]
        c: int32[] = argmax[axis=0] a
        return a b c
      }"
    `);
  });

  test("prints loops with their bodies", () => {
    const { program } = trace(
      (x) => scan((sum: Tensor, y: Tensor) => [ops.add(sum, y), ops.multiply(sum, 2)], ops.zeros([]), x as Tensor),
      [vector(5)],
    );
    expect(printProgram(program)).toMatchInlineSnapshot(`
      "(a: float32[5]) {
        b: float32[] = fill[value=0 dtype=float32 shape=[]]
        c: float32[], d: float32[5] = scan[length=5 carries=1 slices=1 body=(a: float32[], b: float32[]) {
          c: float32[] = add a b
          d: float32[] = fill[value=2 dtype=float32 shape=[]]
          e: float32[] = multiply a d
          return c e
        }] b a
        return c d
      }"
    `);
  });

  test("goes on with aa after z", () => {
    const { program } = trace((x) => [Array.from({ length: 30 }).reduce<Tensor>(ops.exp, x as Tensor)], [vector(1)]);
    const names = printProgram(program)
      .split("\n")
      .slice(25, 29)
      .map((line) => line.trim());
    expect(names).toMatchInlineSnapshot(`
      [
        "z: float32[1] = exp y",
        "aa: float32[1] = exp z",
        "ab: float32[1] = exp aa",
        "ac: float32[1] = exp ab",
      ]
    `);
  });
});

describe("pruneProgram", () => {
  test("removes equations that nobody reads, and what only they read", () => {
    const { program } = trace(
      (x) => {
        ops.exp(ops.sin(x as Tensor));
        return [ops.cos(x as Tensor)];
      },
      [vector(2)],
    );
    expect(program.equations.map(({ primitive }) => primitive.name)).toEqual(["sin", "exp", "cos"]);
    expect(pruneProgram(program).equations.map(({ primitive }) => primitive.name)).toEqual(["cos"]);
  });

  test("keeps the inputs, and only the outputs that are asked for", () => {
    const { program } = trace((x, y) => [ops.sin(x as Tensor), ops.cos(y as Tensor)], [vector(2), vector(3)]);
    const pruned = pruneProgram(program, program.outputs.slice(1));
    expect(pruned.inputs).toEqual(program.inputs);
    expect(pruned.equations.map(({ primitive }) => primitive.name)).toEqual(["cos"]);
    expectTensor(evaluateProgram(pruned, [tensor([1, 2]), tensor([0, 0, 0])])[0] as Tensor, tensor([1, 1, 1]));
  });
});

describe("trace", () => {
  test("captures tensors from outside as further inputs, each once", () => {
    const weight = float64(3);
    const { program, captured } = trace(
      (x) => [ops.add(ops.multiply(x as Tensor, weight), weight)],
      [{ dtype: "float64", shape: [1] }],
    );
    expect(captured).toEqual([weight]);
    expect(program.inputs.length).toBe(2);
    expectTensor(evaluateProgram(program, [float64(2), float64(5)])[0] as Tensor, float64(15));
  });

  test("evaluates operations on concrete tensors at once", () => {
    const { program, captured } = trace((x) => [ops.add(x as Tensor, ops.exp(tensor([0, 0])))], [vector(2)]);
    expect(program.equations.map(({ primitive }) => primitive.name)).toEqual(["add"]);
    expectTensor(captured[0] as Tensor, tensor([1, 1]));
  });

  test("captures a concrete tensor that is returned", () => {
    const { program, captured } = trace(() => [float64(1)], []);
    expect([program.inputs.length, captured.length, program.outputs[0] === program.inputs[0]]).toEqual([1, 1, true]);
  });

  test("an inner trace captures tensors of an outer one", () => {
    const outer = trace(
      (x) => {
        const inner = trace((y) => [ops.add(x as Tensor, y as Tensor)], [vector(2)]);
        expect(inner.captured).toEqual([x]);
        return inline(inner.program, [ops.exp(x as Tensor), ...inner.captured]);
      },
      [vector(2)],
    );
    expectTensor(evaluateProgram(outer.program, [tensor([0, 0])])[0] as Tensor, tensor([1, 1]));
  });

  test("ends when the function throws", () => {
    expect(() => {
      trace(() => {
        expect(isTracing()).toBe(true);
        throw new Error("stop");
      }, []);
    }).toThrow("stop");
    expect(isTracing()).toBe(false);
  });
});

describe("a traced tensor", () => {
  test("has a type, but no numbers", () => {
    const message =
      "the numbers of float32[2] are not known while a function is traced; " +
      "use operations such as select instead of reading data, or return the tensor and read it outside";
    trace(
      (x) => {
        expect(x).toBeInstanceOf(TracedTensor);
        expect([x?.dtype, x?.shape, String(x)]).toEqual(["float32", [2], "traced float32[2]"]);
        expect(() => x?.data).toThrow(new TraceError(message));
        return [];
      },
      [vector(2)],
    );
  });

  test("that escaped cannot be used outside", () => {
    let escaped: Tensor | undefined;
    trace(
      (x) => {
        escaped = x;
        return [];
      },
      [vector(2)],
    );
    expect(() => ops.add(escaped as Tensor, tensor([1, 2]))).toThrow(
      new TraceError(
        "add: a traced tensor was used after its trace had ended; " +
          "return it from the traced function instead of keeping it in a variable outside",
      ),
    );
  });

  test("that escaped cannot be used in another trace, nor one of an inner trace in the outer", () => {
    let escaped: Tensor | undefined;
    const keep = (x: Tensor | undefined) => {
      escaped = x;
      return [];
    };
    const message =
      "a traced float32[2] was used after its trace had ended; " +
      "return it from the traced function (or put it into the carry) instead of keeping it in a variable outside";
    trace(keep, [vector(2)]);
    expect(() => trace((x) => [ops.add(x as Tensor, escaped as Tensor)], [vector(2)])).toThrow(new TraceError(message));
    const leak = (x: Tensor | undefined) => {
      trace(keep, [vector(2)]);
      return [ops.add(x as Tensor, escaped as Tensor)];
    };
    expect(() => trace(leak, [vector(2)])).toThrow(new TraceError(message));
  });
});

describe("inline", () => {
  test("applies a Program more than once", () => {
    const { program } = trace((x) => [ops.multiply(x as Tensor, 3)], [{ dtype: "float64", shape: [] }]);
    const twice = (x: Tensor) => inline(program, inline(program, [x]))[0] as Tensor;
    expectTensor(twice(scalar(2)), scalar(18));
  });

  test("wants as many tensors as the Program has inputs", () => {
    const { program } = trace((x) => [x as Tensor], [vector(2)]);
    expect(() => inline(program, [])).toThrow(
      new ToolkitError("trace", "inline: the Program has 1 inputs, but 0 were given"),
    );
  });
});

test("evaluateProgram computes at once, even inside a trace", () => {
  const { program } = trace((x) => [ops.add(ops.exp(x as Tensor), ops.ones([1], "float64"))], [float64(0)]);
  trace(() => {
    const [result] = evaluateProgram(program, [float64(0)]);
    expect(result).toBeInstanceOf(HostTensor);
    expectTensor(result as Tensor, float64(2));
    expect(isTracing()).toBe(true);
    return [];
  }, []);
});

test("a variable keeps the type it was made with", () => {
  expect(new Variable(float64(1, 2)).type).toEqual({ dtype: "float64", shape: [2] });
});
