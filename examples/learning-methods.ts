import * as tt from "through-time";

const count = (tree: tt.TensorTree) => tt.tensorsByPath(tree).reduce((total, [, { data }]) => total + data.length, 0);
const dot = (a: tt.TensorTree, b: tt.TensorTree) => {
  const others = tt.tensorsByPath(b);
  return tt
    .tensorsByPath(a)
    .reduce((total, [, x], k) => total + tt.toNumber(tt.sum(tt.multiply(x, others[k]?.[1] as tt.Tensor))), 0);
};

const COPIES = 400;

/** Cosine between the gradients of a method and of BPTT for a sequence of 60 steps, and how many numbers the method keeps. */
function compare<Params extends tt.TensorTree, Carry extends tt.TensorTree>(
  cell: tt.Cell<Params, Carry>,
  methods: Readonly<Record<string, tt.LearningMethod>>,
): void {
  const layer = tt.recurrent(cell);
  const problem: tt.SequenceProblem<Params, Carry, { xs: tt.Tensor; ys: tt.Tensor }> = {
    initialCarry: (batch) => layer.initialCarry(batch.xs.shape[1] as number),
    loss: (params, carry, { xs, ys }) => {
      const result = layer.apply(params, xs, { carry });
      return { loss: tt.meanSquaredError(result.outputs, ys), carry: result.carry };
    },
  };
  const xs = tt.normal(tt.randomKey(1), [60, 1, 4]);
  const ys = tt.normal(tt.randomKey(2), [60, 1, 8]);
  const params = layer.init(tt.randomKey(3));
  const gradientOf = (method: tt.LearningMethod, copies = 1) => {
    const batch = { xs: tt.broadcastTo(xs, [60, copies, 4]), ys: tt.broadcastTo(ys, [60, copies, 8]) };
    const state = method.init(problem, batch, params);
    const step = tt.compile((at: Params, before: tt.TensorTree, data: typeof batch, key: tt.Tensor) => {
      return method.step(problem, at, before, data, key).gradient;
    });
    return {
      gradient: step(params, state, batch, tt.randomKey(4)),
      kept: count(state) / copies - count(layer.initialCarry(1)),
    };
  };
  const { gradient: exact } = gradientOf(tt.bptt());
  for (const [name, method] of Object.entries(methods)) {
    // Copies of a sequence have random numbers of their own: their mean shows that UORO is right on average.
    const { gradient, kept } = gradientOf(method, method.name === "uoro" ? COPIES : 1);
    const cosine = dot(gradient, exact) / Math.sqrt(dot(gradient, gradient) * dot(exact, exact));
    console.log(`${name.padEnd(26)} cosine ${cosine.toFixed(2)}, keeps ${kept} numbers`);
  }
}

console.log("lstm, 8 units, 416 parameters");
compare(tt.lstm({ inputSize: 4, hiddenSize: 8 }), {
  "truncatedBptt, 5 steps": tt.truncatedBptt({ truncationLength: 5 }),
  rtrl: tt.rtrl(),
  "snap, order 1": tt.snap(),
  "snap, order 2": tt.snap({ order: 2 }),
  eProp: tt.eProp(),
  truncatedGradient1997: tt.truncatedGradient1997(),
  [`uoro, mean of ${COPIES}`]: tt.uoro(),
});
console.log("leakyElman, leak 0.2, 8 units, 104 parameters");
compare(tt.leakyElman({ inputSize: 4, hiddenSize: 8, leakRate: 0.2 }), {
  "truncatedBptt, 5 steps": tt.truncatedBptt({ truncationLength: 5 }),
  "snap, order 1": tt.snap(),
  rflo: tt.rflo({ leakRate: 0.2 }),
  [`uoro, mean of ${COPIES}`]: tt.uoro(),
});
