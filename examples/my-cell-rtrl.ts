import * as tt from "through-time";
import { learnedLeak } from "./my-cell.js";

const layer = tt.recurrent(learnedLeak(2, 4));
type Params = tt.ParamsOf<typeof layer>;
type Batch = { xs: tt.Tensor };
const problem: tt.SequenceProblem<Params, ReturnType<typeof layer.initialCarry>, Batch> = {
  initialCarry: ({ xs }) => layer.initialCarry(xs.shape[1] as number),
  loss: (params, carry, { xs }) => {
    const result = layer.apply(params, xs, { carry });
    return { loss: tt.meanSquaredError(result.outputs, tt.zerosLike(result.outputs)), carry: result.carry };
  },
};
const batch = { xs: tt.normal(tt.randomKey(1), [10, 3, 2]) };
const params = layer.init(tt.randomKey(2));

const gradientBy = (method: tt.LearningMethod) =>
  method.step(problem, params, method.init(problem, batch, params), batch, tt.randomKey(3)).gradient;

// RTRL goes forward in time, BPTT back: the gradient is the same.
const [back, forward] = [gradientBy(tt.bptt()), gradientBy(tt.rtrl())];
for (const name of ["w", "u", "leak"] as const) {
  const difference = tt.toNumber(tt.max(tt.abs(tt.subtract(back[name], forward[name]))));
  console.log(`${name}: rtrl and bptt agree to 1e-6: ${difference < 1e-6}`);
}
