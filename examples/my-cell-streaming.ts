import { randomKey, stepper } from "through-time";
import { learnedLeak } from "./my-cell.js";

const cell = learnedLeak(1, 4);
const stream = stepper(cell, cell.init(randomKey(1)));
const show = (y: ArrayLike<number>) => Array.from(y, (value) => value.toFixed(3)).join(" ");

stream.push([1]);
stream.push([0]);
const saved = stream.save(); // bytes: write them to a file, send them elsewhere

console.log(`goes on:    ${show(stream.push([0.5]))}`);
stream.restore(saved);
console.log(`once again: ${show(stream.push([0.5]))}`);
stream.reset();
console.log(`anew:       ${show(stream.push([0.5]))}`);
