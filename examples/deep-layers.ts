import * as tt from "through-time";

const size = 16;
const layer = () => tt.recurrent(tt.gru({ inputSize: size, hiddenSize: size }));
const count = (tree: tt.TensorTree) => tt.tensorsByPath(tree).reduce((total, [, { data }]) => total + data.length, 0);

const transition = tt.withoutInput(tt.gru({ inputSize: 1, hiddenSize: size }));
const deep = {
  "stacked, two layers": tt.stacked([layer(), layer()]),
  "with residual around each": tt.stacked([tt.residual(layer()), tt.residual(layer())]),
  "with a highway around each": tt.stacked([tt.highway(layer()), tt.highway(layer())]),
  "one layer with a deep transition": tt.recurrent(
    tt.deepTransition(tt.gru({ inputSize: size, hiddenSize: size }), [transition]),
  ),
} as unknown as Record<string, tt.RecurrentLayer<tt.TensorTree, tt.TensorTree>>;

const xs = tt.normal(tt.randomKey(1), [10, 2, size]);
for (const [name, one] of Object.entries(deep)) {
  const params = one.init(tt.randomKey(2));
  console.log(`${name}: ${count(params)} parameters, outputs [${one.apply(params, xs).outputs.shape}]`);
}
