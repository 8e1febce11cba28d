import { describe, expect, test } from "vitest";
import { expectClose } from "../../../test/close.js";
import { readGolden } from "../../../test/golden.js";
import { type OnnxGolden, onnxTensors } from "../../../test/onnx-golden.js";
import { importOnnx, type NamedTensors } from "./import.js";

/** Float32 on both sides, sums in another order, and exp and tanh of ONNX Runtime are approximations. */
const TOLERANCE = 4e-6;

const dtypes = (values: NamedTensors) => Object.values(values).map(({ dtype }) => dtype);

describe.each(Object.entries(readGolden("onnx") as Record<string, OnnxGolden>))("%s", (_, { model, runs }) => {
  const imported = importOnnx(Buffer.from(model, "base64"));
  const [inputs, expected] = [onnxTensors(runs[0]!.inputs), onnxTensors(runs[0]!.outputs)];

  test("compiled, gives the numbers of ONNX Runtime", () => {
    const results = imported.run(inputs);
    expectClose(results, expected, TOLERANCE);
    expect(dtypes(results)).toEqual(dtypes(expected));
  });

  test("at once, operation by operation, too", () => {
    expectClose(imported.apply(imported.parameters, inputs), expected, TOLERANCE);
  });
});
