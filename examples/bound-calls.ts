import { add, compile, multiply, type Tensor, zeros } from "through-time";

// One step of a leaky average. Its result takes over the memory of the h that it is given.
const step = compile((h: Tensor, x: Tensor) => multiply(add(h, x), 0.5), { donate: [0] });

const [h, x] = [zeros([1]), zeros([1])];
const next = step.bind(h, x); // finds the Plan and the memory once

for (const value of [8, 2, 1]) {
  x.data[0] = value; // each run reads what x and h hold then, and leaves its result in h
  console.log(String(next()));
}
