import { gateSaturation, lstm, normal, randomKey } from "through-time";

const xs = normal(randomKey(1), [50, 16, 8]);
for (const forgetBias of [0, 1, 3, 5]) {
  const cell = lstm({ inputSize: 8, hiddenSize: 32, forgetBias });
  const [forget] = gateSaturation(cell, cell.init(randomKey(2)), xs); // f, i, o: in the order in which the step computes them
  const mean = (forget?.mean ?? []).reduce((total, value) => total + value / 32, 0);
  const halfLife = Math.log(0.5) / Math.log(mean);
  console.log(
    `bias ${forgetBias}: f is ${mean.toFixed(2)} on average, half-life of c in steps: ${halfLife.toFixed(0)}`,
  );
}
