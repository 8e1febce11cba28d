/** The toolkit itself as a measured process: `node ours.js [kernels]`, by default with the kernels that are asked for. */

import * as tt from "through-time";
import { compileTogether } from "through-time/runtime";
import type { KernelName } from "./kernel-names.js";
import { kernelsByName, peakGflops } from "./kernels.js";
import { cellOf, layerParams, readoutModel, recurrentModel } from "./models.js";
import { inputNumbers, meanAbsolute, productNumbers, targetNumbers } from "./numbers.js";
import { repeat } from "./repeat.js";
import { CannotDo, type Repeated, serve } from "./worker.js";
import {
  LEARNING_RATE,
  type ProductWorkload,
  READOUT_SIZE,
  type RecurrentWorkload,
  type Workload,
} from "./workloads.js";

type Params = { model: tt.TensorTree; readout: tt.DenseParams };

/** The loss of a batch, the parameters at the start, and the data. */
function problem(workload: RecurrentWorkload) {
  const [model, readout] = [recurrentModel(workload), readoutModel(workload)];
  const loss = (params: Params, x: tt.Tensor, target: tt.Tensor) => {
    const { carry } = model.network.apply(params.model, x);
    const { h } = (carry as readonly { readonly h: tt.Tensor }[]).at(-1) as { readonly h: tt.Tensor };
    return tt.averageLoss(tt.meanSquaredError(readout.layer.apply(params.readout, h), target));
  };
  const params: Params = { model: model.params, readout: readout.params };
  const x = tt.tensor(inputNumbers(workload), { shape: [workload.time, workload.batch, workload.inputSize] });
  const target = tt.tensor(targetNumbers(workload), { shape: [workload.batch, READOUT_SIZE] });
  return { loss, params, x, target };
}

const optimizer = tt.sgd({ learningRate: LEARNING_RATE });

/** Forward, backward and update as one compiled function; parameters and optimizer take over their old memory. */
function training(workload: RecurrentWorkload, options: tt.CompileOptions): Repeated {
  const { loss, params, x, target } = problem(workload);
  const state = { params, optimizer: optimizer.init(params) };
  const step = (at: typeof state, xs: tt.Tensor, targets: tt.Tensor): readonly [typeof state, tt.Tensor] => {
    const { value, gradient } = tt.valueAndGrad(loss)(at.params, xs, targets);
    const next = optimizer.update(at.params, gradient, at.optimizer);
    return [{ params: next.params, optimizer: next.state }, value];
  };
  const repetition = repeat(tt.compile(step, { ...options, donate: [0] }), state, x, target);
  return { ...repetition, check: () => tt.toNumber(repetition.output()) };
}

/** The same on several threads: each computes the gradient of its shard of the batch. */
function trainingInShards(workload: RecurrentWorkload, options: tt.CompileOptions, shards: number): Repeated {
  const { loss, params, x, target } = problem(workload);
  const kernels = options.kernels && { kernels: options.kernels };
  const gradients = compileTogether(
    (at: Params, xs: tt.Tensor, targets: tt.Tensor) => {
      const { value, gradient } = tt.valueAndGrad(loss)(at, xs, targets);
      return { gradient, loss: { total: value, count: tt.ones([]) } };
    },
    { threads: shards, ...kernels },
  );
  let state = { params, optimizer: optimizer.init(params) };
  const finish = tt.compile(
    (at: typeof state, parts: { gradient: Params; loss: tt.LossSum }[]): readonly [typeof state, tt.Tensor] => {
      const whole = tt.addShards(parts);
      const next = optimizer.update(at.params, whole.gradient, at.optimizer);
      return [{ params: next.params, optimizer: next.state }, tt.averageLoss(whole.loss)];
    },
    { donate: [0], ...options },
  );
  const calls = Array.from({ length: shards }, (_, shard): [tt.Tensor, tt.Tensor] => [
    tt.takeShard(x, 1, shard, shards),
    tt.takeShard(target, 0, shard, shards),
  ]);
  const argsOf = ([xs, targets]: (typeof calls)[number]): [Params, tt.Tensor, tt.Tensor] => [state.params, xs, targets];
  const start = performance.now();
  gradients.plan(argsOf(calls[0] as (typeof calls)[number]));
  // Only the types count here.
  finish.plan(
    state,
    calls.map(() => ({ gradient: params, loss: { total: tt.zeros([]), count: tt.zeros([]) } })),
  );
  const compileMs = performance.now() - start;
  let value: tt.Tensor | undefined;
  const run = async () => {
    const parts = await gradients.later(calls.map(argsOf));
    [state, value] = finish(state, parts);
  };
  return { run, compileMs, check: () => tt.toNumber(value as tt.Tensor) };
}

/** One step with its weights built in, called from JavaScript; the carry is fed back. */
function streaming(workload: RecurrentWorkload, options: tt.CompileOptions): Repeated {
  const [cell, params] = [cellOf(workload, 0), layerParams(workload, 0)];
  const step = (carry: tt.TensorTree, x: tt.Tensor): readonly [tt.TensorTree, tt.Tensor] => cell.step(params, carry, x);
  const x = tt.tensor(inputNumbers(workload), { shape: [1, workload.inputSize] });
  const repetition = repeat(tt.compile(step, { ...options, donate: [0] }), cell.initialCarry(1), x);
  return { ...repetition, check: () => meanAbsolute(repetition.output().data) };
}

/** All outputs of a batch of sequences, with the weights built in. */
function inference(workload: RecurrentWorkload, options: tt.CompileOptions): Repeated {
  const { network, params } = recurrentModel(workload);
  const x = tt.tensor(inputNumbers(workload), { shape: [workload.time, workload.batch, workload.inputSize] });
  const outputs = (_: readonly tt.Tensor[], xs: tt.Tensor): readonly [tt.Tensor[], tt.Tensor] => [
    [],
    network.apply(params, xs).outputs,
  ];
  const repetition = repeat(tt.compile(outputs, options), [] as tt.Tensor[], x);
  return { ...repetition, check: () => meanAbsolute(repetition.output().data) };
}

/** One matrix product, both factors given. */
function product(workload: ProductWorkload, options: tt.CompileOptions): Repeated {
  const { left, right } = productNumbers(workload);
  const a = tt.tensor(left, { shape: [workload.rows, workload.inner] });
  const b = tt.tensor(right, { shape: [workload.inner, workload.columns] });
  const multiply = (_: readonly tt.Tensor[], x: tt.Tensor, y: tt.Tensor): readonly [tt.Tensor[], tt.Tensor] => [
    [],
    tt.matmul(x, y),
  ];
  const repetition = repeat(tt.compile(multiply, options), [] as tt.Tensor[], a, b);
  return { ...repetition, check: () => meanAbsolute(repetition.output().data) };
}

function build(workload: Workload, options: tt.CompileOptions, threads: number): Repeated {
  switch (workload.kind) {
    case "train":
      return threads > 1 ? trainingInShards(workload, options, threads) : training(workload, options);
    case "step":
      return streaming(workload, options);
    case "seq":
      return inference(workload, options);
    case "gemm":
      return product(workload, options);
  }
}

await serve(async ({ prepare, threads: most, kernels }) => {
  const name = (process.argv[2] ?? kernels) as KernelName;
  const threads = prepare.kind === "train" ? most : 1;
  const options = await kernelsByName(name, threads);
  if (typeof options === "string") throw new CannotDo(options);
  const peak = () => peakGflops(name, threads);
  return [{ make: () => ({ ...build(prepare, options, threads), threads, peakGflops: peak }) }];
});
