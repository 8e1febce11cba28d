/** Which kernels a compiled function takes, and when that is decided. */

import { afterEach, expect, test } from "vitest";
import { add } from "../ops/index.js";
import { type Tensor, tensor } from "../tensor/index.js";
import { compile, type Kernels, preferKernels, referenceKernels, selectKernels } from "./index.js";

afterEach(() => preferKernels(undefined));

const named = (name: string): Kernels => ({ ...referenceKernels, name });
const double = (x: Tensor) => add(x, x);
const x = tensor([1, 2]);

test("the preferred kernels are asked for at the first call of a compiled function, and once", () => {
  let asked = 0;
  const choice = () => {
    asked++;
    return named("mine");
  };
  const before = compile(double);
  preferKernels(choice);
  const after = compile(double);
  expect(asked).toBe(0);
  expect(before.kernels(x).name).toBe("mine");
  expect(after.kernels(x).name).toBe("mine");
  expect(before.kernels(tensor([1, 2, 3])).name).toBe("mine");
  expect(asked).toBe(1);
});

test("what is compiled for some types keeps its kernels; other types take those preferred then", () => {
  const f = compile(double);
  preferKernels(() => named("first"));
  expect(f.kernels(x).name).toBe("first");
  preferKernels(() => named("second"));
  expect(f.kernels(x).name).toBe("first");
  expect(f.kernels(tensor([1, 2, 3])).name).toBe("second");
});

test("kernels given to compile go before those preferred; without any, WebAssembly's or the reference", () => {
  preferKernels(() => named("mine"));
  expect(compile(double, { kernels: referenceKernels }).kernels(x).name).toBe(referenceKernels.name);
  preferKernels(() => undefined);
  expect(["wasm", referenceKernels.name]).toContain(selectKernels().name);
});
