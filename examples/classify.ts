import * as tt from "through-time";

// Is there more of token 1 or of token 2? Sequences of 3 to 12 tokens.
const model = tt.sequenceClassifier({ vocabularySize: 3, classes: 2, cell: "gru", hiddenSize: 16 });
const example = (key: tt.Tensor) => {
  const [length, tokens] = [tt.toNumber(tt.uniform(key, [])), tt.uniform(tt.foldIn(key, 1), [12])];
  const sequence = Array.from(tokens.data.slice(0, 3 + Math.floor(length * 10)), (value) => 1 + Math.floor(value * 2));
  return { sequence, isTwo: sequence.filter((token) => token === 2).length > sequence.length / 2 };
};
const batch = (update: number): tt.SequenceClassifierBatch => {
  const examples = tt.splitKey(tt.foldIn(tt.randomKey(1), update), 32).map(example);
  const { values: inputs, mask } = tt.raggedBatch(
    examples.map(({ sequence }) => sequence),
    { length: 12 },
  );
  return { inputs, mask, targets: tt.tensor([examples.map(({ isTwo }) => Number(isTwo))], { dtype: "int32" }) };
};

const { problem } = model;
const optimizer = tt.adam({ learningRate: 0.01 });
let state = tt.initialState({ problem, optimizer, batch, params: model.init(tt.randomKey(2)), key: tt.randomKey(3) });
for await (const report of tt.train({ problem, state, optimizer, batch, steps: 150 })) state = report.state;

const unseen = batch(1000);
const chosen = tt.argmax(model.logits(state.params, unseen));
const right = chosen.data.filter((value, k) => value === unseen.targets.data[k]).length;
console.log(`more than 28 of 32 right: ${right > 28}`);
