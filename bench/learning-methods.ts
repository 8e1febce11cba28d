/** What the learning methods cost: time and memory of one gradient, against units and steps. Prints a table for docs/learning-methods.md. */

import * as tt from "through-time";

const METHODS: Readonly<Record<string, () => tt.LearningMethod>> = {
  bptt: () => tt.bptt(),
  rtrl: () => tt.rtrl(),
  snap: () => tt.snap(),
  uoro: () => tt.uoro(),
  eProp: () => tt.eProp(),
};
const UNITS = [8, 16, 32, 64];
const STEPS = [10, 100, 1000];
const TIMED_STEPS = 100;
const INPUT_SIZE = 8;
/** Runs are measured until there are so many, or so much time has gone. */
const [MOST_SAMPLES, SECONDS] = [50, 2];

/** One gradient, compiled: what it works in, what the method keeps included, and how to run it. */
function gradient(method: tt.LearningMethod, hiddenSize: number, steps: number) {
  const layer = tt.recurrent(tt.lstm({ inputSize: INPUT_SIZE, hiddenSize }));
  type Params = ReturnType<typeof layer.init>;
  const problem: tt.SequenceProblem<Params, ReturnType<typeof layer.initialCarry>, { xs: tt.Tensor }> = {
    initialCarry: () => layer.initialCarry(1),
    loss: (params, carry, { xs }) => {
      const result = layer.apply(params, xs, { carry });
      return { loss: tt.sumLosses(tt.square(result.outputs)), carry: result.carry };
    },
  };
  const params = layer.init(tt.randomKey(1));
  const batch = { xs: tt.normal(tt.randomKey(2), [steps, 1, INPUT_SIZE]) };
  const state = method.init(problem, batch, params);
  const step = tt.compile((at: Params, before: tt.TensorTree, data: typeof batch, key: tt.Tensor) => {
    const { gradient, state: after } = method.step(problem, at, before, data, key);
    return { gradient, after };
  });
  const args = [params, state, batch, tt.randomKey(3)] as const;
  const kept = tt.tensorsByPath(state).reduce((total, [, { data }]) => total + data.byteLength, 0);
  return { kibibytes: (step.plan(...args).arenaBytes + kept) / 1024, bind: () => step.bind(...args) };
}

/** Median of the processor time of a run, in microseconds: on a shared machine it depends less on what else runs. */
function microseconds(run: () => void): number {
  run();
  const samples: number[] = [];
  for (const end = performance.now() + 1000 * SECONDS; samples.length < MOST_SAMPLES; ) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    samples.push(user + system);
    if (performance.now() > end) break;
  }
  samples.sort((a, b) => a - b);
  return samples[Math.floor(samples.length / 2)] as number;
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const rounded = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)}`;

console.log(row(["method", "units", "µs a step", ...STEPS.map((steps) => `KiB, T = ${steps}`)]));
console.log(row(new Array<string>(3 + STEPS.length).fill("---")));
for (const [name, make] of Object.entries(METHODS)) {
  for (const units of UNITS) {
    const micros = microseconds(gradient(make(), units, TIMED_STEPS).bind()) / TIMED_STEPS;
    const memory = STEPS.map((steps) => rounded(gradient(make(), units, steps).kibibytes));
    console.log(row([`\`${name}\``, `${units}`, rounded(micros), ...memory]));
  }
}
