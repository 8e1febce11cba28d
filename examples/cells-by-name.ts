import { CELL_NAMES, cellByName, randomKey, type TensorTree, tensorsByPath } from "through-time";

const numbersIn = (tree: TensorTree) => tensorsByPath(tree).reduce((total, [, { data }]) => total + data.length, 0);

for (const name of CELL_NAMES) {
  const cell = cellByName(name, { inputSize: 8, hiddenSize: 32 });
  const [parameters, state] = [numbersIn(cell.init(randomKey(1))), numbersIn(cell.initialCarry(1))];
  console.log(`${name.padEnd(16)} ${`${parameters}`.padStart(5)} parameters, ${state} numbers of state`);
}
