import * as tt from "through-time";

// Sequences of 1 to 5 tokens to their reverse. Token 0 ends a target.
const model = tt.translator({ sourceVocabularySize: 5, targetVocabularySize: 5, hiddenSize: 32, embeddingSize: 16 });
const pair = (key: tt.Tensor): tt.TranslationPair => {
  const [length, ...tokens] = Array.from(tt.uniform(key, [6]).data) as [number, ...number[]];
  const source = tokens.slice(0, 1 + Math.floor(length * 5)).map((value) => 1 + Math.floor(value * 4));
  return { source, target: source.toReversed() };
};
const batch = (update: number): tt.TranslationBatch =>
  tt.translationBatch(tt.splitKey(tt.foldIn(tt.randomKey(1), update), 32).map(pair), {
    end: 0,
    sourceLength: 5,
    targetLength: 6,
  });

const { problem } = model;
const optimizer = tt.adam({ learningRate: 0.01 });
let state = tt.initialState({ problem, optimizer, batch, params: model.init(tt.randomKey(2)), key: tt.randomKey(3) });
for await (const report of tt.train({ problem, state, optimizer, batch, steps: 200 })) {
  state = report.state;
}

const search = tt.translate(model, { maxLength: 6, width: 3 });
const [hypotheses] = search(state.params, [[1, 2, 3, 4, 4]]);
console.log(`1 2 3 4 4 -> ${hypotheses?.[0]?.tokens.join(" ")}`);
