import { test } from "vitest";
import { elman, glorotUniform, gru, linear, lstm, orthogonal, recurrent, type Cell } from "../nn/index.js";
import { add, divide, matmul, mean, multiply, ones, sigmoid, split, sqrt, square, subtract, sum, tanh, zeros, randomKey } from "../ops/index.js";
import { compile } from "../runtime/index.js";
import { printPlan } from "../compile/index.js";
import { valueAndGrad } from "../transforms/index.js";
import { mapTensors, type Tensor } from "../tensor/index.js";
import { writeFileSync } from "node:fs";
const fake = { name: "fake", target: { panel: 16 }, supports: () => true, prepare: () => ({ run() {} }) };
const userCell = (step: any): any => ({
  inputSize: 3, outputSize: 4,
  init: (key: any, dtype: any) => ({ w: glorotUniform(key, [16, 3], dtype), u: orthogonal(key, [16, 4], dtype), b: zeros([16], dtype), p: ones([12], dtype) }),
  initialCarry: (batchSize: any, dtype: any) => ({ h: zeros([batchSize, 4], dtype), c: zeros([batchSize, 4], dtype) }),
  step,
});
const peephole = userCell(({ w, u, b, p }: any, { h, c }: any, x: any) => {
  const [i, f, g, o] = split(add(linear(x, w, b), linear(h, u)), 4) as any;
  const [pi, pf, po] = split(p, 3) as any;
  const next = add(multiply(sigmoid(add(f, multiply(pf, c))), c), multiply(sigmoid(add(i, multiply(pi, c))), tanh(g)));
  const y = multiply(sigmoid(add(o, multiply(po, next))), tanh(next));
  return [{ h: y, c: next }, y];
});
const normalize = (x: any) => {
  const centred = subtract(x, mean(x, { axes: -1, keepAxes: true }));
  return divide(centred, sqrt(add(mean(square(centred), { axes: -1, keepAxes: true }), 1e-5)));
};
const layerNormLstm = userCell(({ w, u, b }: any, { h, c }: any, x: any) => {
  const gates = add(normalize(linear(x, w)), add(normalize(linear(h, u)), b));
  const [i, f, g, o] = split(gates, 4) as any;
  const next = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)));
  const y = multiply(sigmoid(o), tanh(normalize(next)));
  return [{ h: y, c: next }, y];
});
const S = { inputSize: 3, hiddenSize: 4 };
test("dump", () => {
  for (const [name, cell] of Object.entries({ elman: elman(S), lstm: lstm(S), gru: gru(S), peephole, layerNormLstm }) as any) {
    const layer = recurrent(cell as Cell<any, any>);
    const params = layer.init(zeros([2], "int32"));
    const f = (p: any, xs: Tensor) => {
      const { value, gradient } = valueAndGrad((q: any) => sum(square((layer.apply(q, xs).carry as any).h)))(p);
      return [mapTensors((a: Tensor, g: Tensor) => subtract(a, multiply(g, 0.1)), p, gradient), value] as any;
    };
    const plan = compile(f, { kernels: fake, donate: [0] }).plan(params, zeros([6, 2, 3]));
    const extra: string[] = [];
    const bodies = (ins: any): void => ins.forEach((i: any) => { if (i.kind==="loop") bodies(i.body); else if (i.params?.body) extra.push(printProgramSafe(i.params.body)); });
    bodies(plan.instructions);
    writeFileSync(`/tmp/w/${name}.txt`, printPlan(plan) + "\n\n" + extra.join("\n"));
  }
});
import { printProgram } from "../program/index.js";
const printProgramSafe = (p: any) => printProgram(p);
void randomKey;
