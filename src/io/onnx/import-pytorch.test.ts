import { expect, test } from "vitest";
import { expectClose } from "../../../test/close.js";
import { readGolden } from "../../../test/golden.js";
import { type OnnxGolden, onnxTensors } from "../../../test/onnx-golden.js";
import { importOnnx } from "./import.js";

/** Both sides compute in float32, over a few steps and layers. */
const TOLERANCE = 2e-6;

test.each(Object.entries(readGolden("onnx-exports") as Record<string, OnnxGolden>))(
  "%s: gives the numbers of PyTorch at every size",
  (_, { model, runs }) => {
    const { run } = importOnnx(Buffer.from(model, "base64"));
    expect(runs.length).toBeGreaterThan(1);
    for (const { inputs, outputs } of runs) expectClose(run(onnxTensors(inputs)), onnxTensors(outputs), TOLERANCE);
  },
);
