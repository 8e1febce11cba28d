import * as tt from "through-time";
import { learnedLeak } from "./my-cell.js";

const layer = tt.recurrent(learnedLeak(3, 8));
const params = layer.init(tt.randomKey(1));
const bytes = tt.exportLayerOnnx(layer, { params });

// Any program that runs ONNX can read it; here we read it back.
const model = tt.importOnnx(bytes);
const names = (values: readonly tt.OnnxValue[]) => values.map(({ name, shape }) => `${name} [${shape}]`).join(", ");
console.log(`inputs:  ${names(model.inputs)}`);
console.log(`outputs: ${names(model.outputs)}`);
console.log(`a Scan:  ${new TextDecoder("latin1").decode(bytes).includes("Scan")}`);

const xs = tt.normal(tt.randomKey(2), [20, 2, 3]);
const { y } = model.run({ x: xs, "initial.h": layer.initialCarry(2).h });
const difference = tt.max(tt.abs(tt.subtract(y as tt.Tensor, layer.apply(params, xs).outputs)));
console.log(`the same outputs to 1e-5: ${tt.toNumber(difference) < 1e-5}`);
