/** ONNX Runtime, which only infers: its LSTM operator. The model is made with the system's python3-onnx. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inputNumbers, meanAbsolute } from "../dist/numbers.js";
import { SYSTEM_PYTHON } from "../dist/peers.js";
import { CannotDo, serve } from "../dist/worker.js";
import { load } from "./load.mjs";

function modelOf(workload) {
  const script = fileURLToPath(new URL("ort_model.py", import.meta.url));
  try {
    return execFileSync(SYSTEM_PYTHON, [script, JSON.stringify(workload)], { maxBuffer: 2 ** 30 });
  } catch (error) {
    throw new CannotDo(`the model cannot be made: ${error.stderr.toString().trim().split("\n").at(-1)}`);
  }
}

async function build(workload, threads) {
  const ort = load("onnxruntime-node");
  const session = await ort.InferenceSession.create(modelOf(workload), {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
  });
  const { kind, time, batch, inputSize, hiddenSize } = workload;
  const zeros = () => new ort.Tensor("float32", new Float32Array(batch * hiddenSize), [1, batch, hiddenSize]);
  const numbers = inputNumbers(workload);
  // A step needs the new state alone, a sequence its outputs.
  const wanted = kind === "step" ? ["nextH", "nextC"] : ["y"];
  let [h, c, output] = [zeros(), zeros()];
  return {
    run: async () => {
      const x = new ort.Tensor("float32", numbers, [time, batch, inputSize]);
      const results = await session.run({ x, h, c }, wanted);
      if (kind === "step") {
        h = results.nextH;
        c = results.nextC;
      }
      output = results[wanted[0]].data;
    },
    check: () => meanAbsolute(output),
  };
}

await serve(({ prepare, threads }) => {
  if (prepare.kind !== "step" && prepare.kind !== "seq") throw new CannotDo("ONNX Runtime only infers");
  return [{ make: () => build(prepare, threads) }];
});
