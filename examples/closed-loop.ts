import * as tt from "through-time";

// A net that sees nothing but the last number: 20 steps of a sine as they are, then 40 steps of its own.
const layer = tt.feedback({
  cell: tt.gru({ inputSize: 1, hiddenSize: 16 }),
  readout: tt.dense({ inputSize: 16, outputSize: 1 }),
});
const steps = (length: number) => ({ length, batchSize: 4 });
const sine = (from: number, length: number) =>
  tt.tensor(
    Array.from({ length }, (_, t) => [0, 5, 10, 15].map((phase) => [Math.sin(((from + phase + t) * Math.PI) / 10)])),
  );

type Batch = { targets: tt.Tensor; forcing: tt.Tensor };
const problem: tt.SequenceProblem<tt.ParamsOf<typeof layer>, readonly [], Batch> = {
  initialCarry: () => [],
  loss: (params, nothing, { targets, forcing }, key) => {
    const { carry } = layer.apply(params, steps(20), { targets: tt.slice(targets, 0, 0, 20) });
    const rest = tt.slice(targets, 0, 20);
    const { outputs } = layer.apply(params, steps(40), {
      carry,
      targets: rest,
      teacherForcing: key ? tt.at(tt.at(forcing, 0), 0) : 0, // a tensor: it changes without a new trace
      ...(key && { key }),
    });
    return { loss: tt.meanSquaredError(outputs, rest), carry: nothing };
  },
};

const schedule = tt.linearForcing({ updates: 200 }); // at first the truth is fed back, in the end the own output
const batch = (update: number): Batch => ({ targets: sine(update, 60), forcing: tt.fill([1, 4], schedule(update)) });
const optimizer = tt.adam({ learningRate: 0.01 });
const params = layer.init(tt.randomKey(1));
const state = tt.initialState({ problem, optimizer, batch, params, key: tt.randomKey(2) });
for await (const { step, loss } of tt.train({ problem, state, optimizer, batch, steps: 400 })) {
  if (step === 400) console.log(`40 steps on its own, squared error below 0.01: ${loss < 0.01}`);
}
