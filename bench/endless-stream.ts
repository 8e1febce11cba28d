/** What online learning keeps in memory on a stream without end. Prints a table for docs/learning-methods.md, or lines of JSON. */

import { parseArgs } from "node:util";
import * as tt from "through-time";
import { repeat } from "./repeat.js";

const { values: options } = parseArgs({
  options: { steps: { type: "string", default: "1000000" }, json: { type: "boolean", default: false } },
});
const STEPS = Number(options.steps);
/** Steps of the stream in one compiled call. */
const STEPS_OF_CALL = 1000;
const READINGS = 10;
if (!Number.isInteger(STEPS / STEPS_OF_CALL / READINGS) || STEPS <= 0) {
  throw new RangeError(`--steps must be a multiple of ${READINGS * STEPS_OF_CALL}`);
}

/** Methods, and after how many steps each makes an update. */
const METHODS: Readonly<Record<string, { readonly method: tt.LearningMethod; readonly window: number }>> = {
  rtrl: { method: tt.rtrl(), window: 1 },
  truncatedGradient1997: { method: tt.truncatedGradient1997(), window: 1 },
  "truncatedBptt, 16 steps": { method: tt.truncatedBptt({ truncationLength: 16 }), window: 8 },
};

const UNITS = 8;
/** What is learnt: to say the number that came so many steps before. */
const DELAY = 1;
const STREAM = tt.randomKey(1);
const layer = tt.recurrent(tt.lstm({ inputSize: 1, hiddenSize: UNITS }));
const readout = tt.dense({ inputSize: UNITS, outputSize: 1 });
const optimizer = tt.sgd({ learningRate: 0.05 });

type Params = { readonly layer: tt.ParamsOf<typeof layer>; readonly readout: tt.DenseParams };
type Batch = { readonly xs: tt.Tensor; readonly targets: tt.Tensor };

const problem: tt.SequenceProblem<Params, tt.LSTMState, Batch> = {
  initialCarry: () => layer.initialCarry(1),
  loss: (params, carry, { xs, targets }) => {
    const result = layer.apply(params.layer, xs, { carry });
    const predictions = readout.apply(params.readout, result.outputs);
    return { loss: tt.meanSquaredError(predictions, targets), carry: result.carry };
  },
};

/** Steps `first` to `first + length` of the stream, made when they are needed: its numbers are hashes of their places. */
function windowAt(first: tt.Tensor, length: number): Batch {
  const numbers = Array.from({ length: length + DELAY }, (_, k) =>
    tt.normal(tt.foldIn(STREAM, tt.add(first, k)), [1, 1]),
  );
  return { xs: tt.stack(numbers.slice(DELAY)), targets: tt.stack(numbers.slice(0, length)) };
}

/** A learner in the middle of the stream. */
type Learner = {
  readonly params: Params;
  readonly optimizer: tt.OptimizerState;
  /** What the method carries from window to window. */
  readonly state: tt.TensorTree;
  /** int32: the next step of the stream. */
  readonly place: tt.Tensor;
};

function learnerAtStart({ method, window }: (typeof METHODS)[string]): Learner {
  const [layerKey, readoutKey] = tt.splitKey(tt.randomKey(2), 2);
  const params = { layer: layer.init(layerKey), readout: readout.init(readoutKey) };
  const place = tt.zeros([], "int32");
  return {
    params,
    optimizer: optimizer.init(params),
    state: method.init(problem, windowAt(place, window), params),
    place,
  };
}

/** So many steps of the stream as one compiled call: the learner after them, in the memory of the one before, and the mean loss. */
function compileSteps({ method, window }: (typeof METHODS)[string], steps: number) {
  const update = ({ params, optimizer: before, state, place }: Learner): readonly [Learner, tt.Tensor] => {
    const step = method.step(problem, params, state, windowAt(place, window), STREAM);
    const { params: next, state: after } = optimizer.update(params, step.gradient, before);
    const learner = { params: next, optimizer: after, state: step.state, place: tt.add(place, window) };
    return [learner, tt.averageLoss(step.loss)];
  };
  return tt.compile(
    (start: Learner): readonly [Learner, tt.Tensor] => {
      const [learner, losses] = tt.scan(update, start, {}, { length: steps / window });
      return [learner, tt.mean(losses)];
    },
    { donate: [0] },
  );
}

const MIB = 2 ** 20;

/** What this process holds: objects of JavaScript, the memory of tensors, that with what else lies outside the heap, and all that the system gave it. */
function memory() {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, external, rss } = process.memoryUsage();
  return {
    heapMiB: heapUsed / MIB,
    arrayBuffersMiB: arrayBuffers / MIB,
    externalMiB: external / MIB,
    residentMiB: rss / MIB,
  };
}

const TITLES = [
  ...["method", "steps", "loss", "state, KiB", "arena of an update, KiB", `of ${STEPS_OF_CALL} steps, KiB`],
  ...["heap, MiB", "array buffers, MiB", "external, MiB", "resident, MiB"],
];
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const bytesIn = (tree: tt.TensorTree): number =>
  tt.tensorsByPath(tree).reduce((total, [, { data }]) => total + data.byteLength, 0);

if (!options.json) {
  console.log(row(TITLES));
  console.log(row(TITLES.map(() => "---")));
}
for (const [method, setting] of Object.entries(METHODS)) {
  const learner = learnerAtStart(setting);
  const compiled = compileSteps(setting, STEPS_OF_CALL);
  const sizes = {
    stateKiB: bytesIn(learner.state) / 1024,
    updateArenaKiB: compileSteps(setting, setting.window).plan(learner).arenaBytes / 1024,
    callArenaKiB: compiled.plan(learner).arenaBytes / 1024,
  };
  const { run, output } = repeat(compiled, learner);
  const calls = STEPS / STEPS_OF_CALL / READINGS;
  for (let reading = 1; reading <= READINGS; reading++) {
    let loss = 0;
    for (let call = 0; call < calls; call++) {
      run();
      loss += tt.toNumber(output()) / calls;
    }
    const figures = { steps: (reading * STEPS) / READINGS, loss, ...sizes, ...memory() };
    if (options.json) console.log(JSON.stringify({ method, ...figures }));
    else {
      const [steps, ...others] = Object.values(figures) as [number, ...number[]];
      console.log(row([method, `${steps}`, ...others.map((value) => value.toPrecision(3))]));
    }
  }
}
