import * as tt from "through-time";

/** ‖∂c_100/∂c_0‖: what is left of the largest gradient after 100 steps back, before anything is learnt. */
function reach<Params extends tt.TensorTree, Carry extends tt.TensorTree>(cell: tt.Cell<Params, Carry>): number {
  const layer = tt.recurrent(cell);
  const problem: tt.SequenceProblem<Params, Carry, { xs: tt.Tensor }> = {
    initialCarry: () => layer.initialCarry(1),
    loss: (params, carry, { xs }) => {
      const result = layer.apply(params, xs, { carry });
      return { loss: tt.sumLosses(result.outputs), carry: result.carry };
    },
  };
  const xs = tt.uniform(tt.randomKey(1), [100, 1, 4]);
  return tt.gradientFlow(problem, cell.init(tt.randomKey(2)), { xs }).jacobianNorm(0, 100);
}

const sizes = { inputSize: 4, hiddenSize: 8 };
console.log(`elman            ${reach(tt.elman(sizes)).toExponential(0)}`);
console.log(`leakyElman, 0.05 ${reach(tt.leakyElman({ ...sizes, leakRate: 0.05 })).toExponential(0)}`);
console.log(`skipElman, 1, 20 ${reach(tt.skipElman({ ...sizes, delays: [1, 20] })).toExponential(0)}`);
console.log(`indrnn           ${reach(tt.indrnn(sizes)).toExponential(0)}`);
console.log(`irnn             ${reach(tt.irnn(sizes)).toExponential(0)}`);
