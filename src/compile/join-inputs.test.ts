import { describe, expect, test } from "vitest";
import { expectSameResults, float32, programOf } from "../../test/programs.js";
import * as ops from "../ops/index.js";
import type { Program } from "../program/index.js";
import { type ScanParams, scan } from "../scan/index.js";
import type { Tensor, TensorType } from "../tensor/index.js";
import { formProducts } from "./form-products.js";
import { joinInputs } from "./join-inputs.js";
import { optimize } from "./optimize.js";
import { sinkIntoLoops } from "./sink.js";

const PACKING = { panel: 4, width: 2 };
const TIME = 3;
const ROWS = 16;

const namesOf = ({ equations }: Program): string[] => equations.map(({ primitive }) => primitive.name);
const loopOf = ({ equations }: Program): ScanParams =>
  equations.find(({ primitive }) => primitive.name === "scan")!.params as ScanParams;

type Step = (x: Tensor, h: Tensor, w: Tensor, u: Tensor, b: Tensor) => Tensor;

/** Names of the equations in the loop; the numbers are those of the given Program, up to the rounding of sums that are made in one go. */
function joined(
  step: Step,
  { rows = ROWS, terms = 3, transposed = true, more = (_: Tensor): readonly Tensor[] => [] } = {},
): { inside: string[]; outside: string[]; program: Program } {
  const f = (xs: Tensor, w: Tensor, u: Tensor, b: Tensor) => {
    const last = scan((h: Tensor, x: Tensor) => [step(x, h, w, u, b), []], ops.zeros([rows, 4]), xs)[0];
    return [last, ...more(ops.matmul(ops.reshape(xs, [TIME * rows, terms]), w, { transposeB: transposed }))];
  };
  const matrix = (a: number, b: number): TensorType => (transposed ? float32(b, a) : float32(a, b));
  const { program } = optimize(programOf(f, float32(TIME, rows, terms), matrix(terms, 4), matrix(4, 4), float32(4)));
  const result = joinInputs(sinkIntoLoops(program));
  expectSameResults(result, program, 1e-6);
  return { inside: namesOf(loopOf(result).body), outside: namesOf(result), program: result };
}

const projected = (a: Tensor, w: Tensor) => ops.matmul(a, w, { transposeB: true });
const plain: Step = (x, h, w, u) => ops.tanh(ops.add(projected(x, w), projected(h, u)));
const biased: Step = (x, h, w, u, b) => ops.tanh(ops.add(projected(h, u), ops.add(projected(x, w), b)));

describe("the projection of the inputs", () => {
  test("is part of the product in the loop, whose matrix is both", () => {
    const { inside, outside } = joined(plain);
    expect(inside).toEqual(["concatenate", "matmul", "tanh"]);
    expect(outside).toEqual(["fill", "concatenate", "scan"]);
  });

  test("takes its bias along, which the product then starts from", () => {
    const { inside, outside, program } = joined(biased);
    expect(inside).toEqual(["concatenate", "matmul", "broadcast", "add", "tanh"]);
    expect(outside).toEqual(["fill", "concatenate", "scan"]);
    expect(namesOf(loopOf(formProducts(program, PACKING)).body)).toEqual(["concatenate", "product", "tanh"]);
  });

  test("likewise of matrices that are read as they are", () => {
    const step: Step = (x, h, w, u) => ops.tanh(ops.add(ops.matmul(x, w), ops.matmul(h, u)));
    expect(joined(step, { transposed: false }).inside).toEqual(["concatenate", "matmul", "tanh"]);
  });

  test("adds its terms first, so that the bits are those of a product that goes on from the projection", () => {
    // Kernels add term after term, whatever the block: what starts from D + x W and adds h U is D + [x h] [W; U].
    const { program } = joined(biased);
    const [concatenation] = loopOf(program).body.equations;
    const [x, h] = concatenation!.inputs;
    expect(loopOf(program).body.inputs.indexOf(h!)).toBe(0);
    expect(loopOf(program).body.inputs.indexOf(x!)).toBe(1);
  });

  const stays = (step: Step, options: Parameters<typeof joined>[1] = {}) => {
    const { inside, outside } = joined(step, options);
    expect(inside).not.toContain("concatenate");
    expect(outside).toContain("matmul");
  };

  test("stays outside of the loop if there are few rows, or more terms than fit the cache", () => {
    stays(biased, { rows: 15 });
    expect(joined(biased, { terms: 508 }).inside).toContain("concatenate");
    stays(biased, { terms: 509 });
  });

  test("stays if something else reads it", () => {
    stays(plain, { more: (projection) => [projection] });
    stays((x, h, w, u) => {
      const part = projected(x, w);
      return ops.multiply(part, ops.tanh(ops.add(part, projected(h, u))));
    });
  });

  test("stays if it is added to anything but a product with a matrix that stays the same", () => {
    stays((x, h, w, _, b) => ops.tanh(ops.add(projected(x, w), ops.multiply(h, b))));
    stays((x, h, w, u) => ops.tanh(ops.add(projected(x, w), projected(h, ops.multiply(u, ops.mean(h))))));
    stays((x, h, w, u) => ops.tanh(ops.add(projected(x, w), ops.matmul(h, u))));
    stays((x, h, w, u) => {
      const product = projected(h, u);
      return ops.multiply(product, ops.tanh(ops.add(projected(x, w), product)));
    });
  });

  test("stays if more than a row is added to it", () => {
    const f = (xs: Tensor, w: Tensor, u: Tensor, d: Tensor) => [
      scan(
        (h: Tensor, [x, e]: readonly [Tensor, Tensor]) => [
          ops.tanh(ops.add(ops.add(projected(x, w), ops.tanh(e)), projected(h, u))),
          [],
        ],
        ops.zeros([ROWS, 4]),
        [xs, d] as const,
      )[0],
    ];
    const types = [float32(TIME, ROWS, 3), float32(4, 3), float32(4, 4), float32(TIME, ROWS, 4)];
    const { program } = optimize(programOf(f as never, ...types));
    expect(namesOf(loopOf(joinInputs(program)).body)).not.toContain("concatenate");
  });
});
