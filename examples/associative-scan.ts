import { associativeScan, maximum, tensor } from "through-time";

const levels = tensor([3, 1, 4, 1, 5, 9, 2, 6]);
console.log(`highest so far:    ${Array.from(associativeScan(maximum, levels).data).join(" ")}`);
console.log(`highest from here: ${Array.from(associativeScan(maximum, levels, { reverse: true }).data).join(" ")}`);
