import * as tt from "through-time";

/** ‖∂c_40/∂c_{40-k}‖ for k = 0 ... 40, of a cell before anything is learnt. */
function reach<Params extends tt.TensorTree, Carry extends tt.TensorTree>(cell: tt.Cell<Params, Carry>) {
  const layer = tt.recurrent(cell);
  const problem: tt.SequenceProblem<Params, Carry, { xs: tt.Tensor }> = {
    initialCarry: () => layer.initialCarry(1),
    loss: (params, carry, { xs }) => {
      const result = layer.apply(params, xs, { carry });
      return { loss: tt.sumLosses(result.outputs), carry: result.carry };
    },
  };
  const xs = tt.normal(tt.randomKey(1), [40, 1, 4]);
  const [last = []] = tt
    .gradientFlow(problem, cell.init(tt.randomKey(2)), { xs })
    .jacobianNorms()
    .slice(-1);
  return last.map((norm, from) => [40 - from, norm] as const);
}

const sizes = { inputSize: 4, hiddenSize: 16 };
const series = [
  { name: "elman", points: reach(tt.elman(sizes)) },
  { name: "lstm", points: reach(tt.lstm(sizes)) },
];
console.log(
  tt.terminalChart(series, {
    title: "Norm of the Jacobian",
    x: { label: "steps back" },
    y: { label: "norm", scale: "log" },
    height: 10,
  }),
);
